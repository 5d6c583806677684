/**
 * What the demo wants to know from a line of the worker's JSON log: that it is ready, the number of slots that the controller has
 * decided on, and the number of lanes that it is to hold. Other lines (the banner, warnings of Node) say none of these.
 */
export function readLogLine(line: string): {
  readonly ready: boolean
  readonly slots: number | null
  readonly lanes: number | null
} {
  const nothing = { ready: false, slots: null, lanes: null }
  // Most lines are about tasks: not worth parsing.
  if (!line.startsWith('{') || !/ready\.|Scaling | lanes of /.test(line)) return nothing
  let entry: { message?: unknown; slots?: unknown }
  try {
    entry = JSON.parse(line)
  } catch {
    return nothing
  }
  const { message, slots } = entry
  if (typeof message !== 'string') return nothing
  const lanes = /^This worker gets (\d+) of \d+ lanes of /.exec(message)?.[1]
  return {
    ready: message.endsWith(' ready.'),
    lanes: lanes === undefined ? null : Number(lanes),
    slots: /^Scaling (up|down)/.test(message) && typeof slots === 'number' ? slots : null,
  }
}
