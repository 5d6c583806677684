import { isChain, isChord, isGroup, type Signature } from './signature.js'

/** The tasks that end a chord's body: for a chain its last step's, for a group all, for a chord its body's. */
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

/** The id of a frozen signature; null if it isn't frozen. */
export function idOf({ options }: Signature): string | null {
  return typeof options.task_id === 'string' ? options.task_id : null
}

/**
 * The ids under which the failure of a chord is stored: the body's own id, which for a group is that of all its tasks
 * and its own; and the ids of the tasks at its end, for those who wait for them.
 */
export function failedIds(body: Signature): readonly string[] {
  const ids = [...endsOf(body).map(idOf), idOf(body)]
  return [...new Set(ids.filter((id) => id !== null))]
}
