import { repr } from '../../protocol/repr.js'
import { argument, required, texts, truth } from '../arguments.js'
import { type CommandParts, command, ok } from '../command.js'
import { signum } from '../signum.js'

const IDS = '[id1 [id2 [... [idN]]]]'

const signal = argument('text', signum)

/** A dict of values or of lists of values, or a list of `header=value`. */
const stamps = argument('list', (headers) => {
  const pairs: (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.map((text) => {
        const [name = '', ...value] = String(text).split('=')
        return [name, value.join('=')] as const
      })
    : Object.entries((headers ?? {}) as Record<string, unknown>)
  const found = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const values = found.get(name)
    const added = [value].flat().map(String)
    if (values) for (const each of added) values.push(each)
    else found.set(name, added)
  }
  return Object.fromEntries(found)
})

/**
 * Commands that keep tasks from running, with the texts of Celery 5.6. A signal that doesn't exist is refused before
 * anything is done.
 */
export const revokeCommands = [
  command({
    name: 'revoke',
    kind: 'control',
    help: 'Keep these tasks from running.',
    args: { task_id: required(texts) },
    more: { terminate: truth, signal },
    signature: IDS,
    onPage: true,
    run: (args, parts) => {
      if (args.terminate) return terminate(args.task_id, args.signal, parts)
      const ids = [...new Set(args.task_id)]
      parts.line.revoke(ids, null)
      parts.log.info(`Tasks flagged as revoked: ${ids.join(', ')}`)
      return ok(`tasks ${repr(new Set(ids))} flagged as revoked`)
    },
  }),
  command({
    name: 'terminate',
    kind: 'control',
    help: 'Revoke these tasks, and stop those that run.',
    args: { signal: required(signal), task_id: required(texts) },
    signature: `<signal> ${IDS}`,
    run: ({ signal, task_id }, parts) => terminate(task_id, signal, parts),
  }),
  command({
    name: 'revoke_by_stamped_headers',
    kind: 'control',
    help: 'Keep tasks with one of these stamps from running.',
    args: { headers: required(stamps) },
    more: { terminate: truth, signal },
    signature: '[key1=value1 [key2=value2 [... [keyN=valueN]]]]',
    // The signal is checked in any case, as Celery does.
    run: ({ headers, signal, terminate }, { line }) => {
      line.revokeByStamps(headers, terminate ? signal : null)
      if (!terminate) return ok(`headers ${repr(headers)} flagged as revoked, but not terminated`)
      const stopped = [...line.state.running].some(
        (request) => request.terminatedBy !== null && line.revoked.hasStampOf(request.message.headers),
      )
      return ok(`headers ${repr(headers)} ${stopped ? 'revoked' : 'were not terminated'}`)
    },
  }),
]

function terminate(ids: readonly string[], signal: number, { line }: CommandParts): { ok: string } {
  const stopped = line.revoke([...new Set(ids)], signal)
  return ok(stopped.length > 0 ? `terminate: ${stopped.join(', ')}` : 'terminate: tasks unknown')
}
