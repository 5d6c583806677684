/**
 * What the demo wants to know from a line of the worker's JSON log: that it is ready, and the number of slots that the
 * controller has decided on. Other lines (the banner, warnings of Node) say neither.
 */
export function readLogLine(line: string): { readonly ready: boolean; readonly slots: number | null } {
  const nothing = { ready: false, slots: null }
  // Most lines are about tasks: not worth parsing.
  if (!line.startsWith('{') || !/ready\.|Scaling /.test(line)) return nothing
  let entry: { message?: unknown; slots?: unknown }
  try {
    entry = JSON.parse(line)
  } catch {
    return nothing
  }
  const { message, slots } = entry
  if (typeof message !== 'string') return nothing
  return {
    ready: message.endsWith(' ready.'),
    slots: /^Scaling (up|down)/.test(message) && typeof slots === 'number' ? slots : null,
  }
}
