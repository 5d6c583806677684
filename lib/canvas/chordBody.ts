import { isChain, isChord, isGroup, type Signature } from './signature.js'

/** The tasks whose ends are the end of a chord's body: of a chain its last step's, of a group all, of a chord its body's. */
export function endsOf(body: Signature): readonly Signature[] {
  if (isGroup(body)) return body.kwargs.tasks.flatMap(endsOf)
  if (isChord(body)) return body.kwargs.body === null ? [] : endsOf(body.kwargs.body)
  if (!isChain(body)) return [body]
  for (const step of [...body.kwargs.tasks].reverse()) {
    const ends = endsOf(step)
    if (ends.length > 0) return ends
  }
  return []
}

/** The id that a frozen signature has; null of one that isn't. */
export function idOf({ options }: Signature): string | null {
  return typeof options.task_id === 'string' ? options.task_id : null
}

/**
 * Where the failure of a chord is stored: under the body's own id, which of a group is that of all its tasks and its own; and under the ids of
 * what it ends with, for whoever waits for those.
 */
export function failedIds(body: Signature): readonly string[] {
  const ids = [...endsOf(body).map(idOf), idOf(body)]
  return [...new Set(ids.filter((id) => id !== null))]
}
