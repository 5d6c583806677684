import { repr } from '../../protocol/repr.js'
import { type Arguments, required, texts, truth } from '../arguments.js'
import { type Command, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'
import { signum } from '../signum.js'

/** The commands that keep tasks from running, with the texts of Celery 5.6. A signal that doesn't exist is refused before anything is done. */
export function revokeCommands({ line, log }: Pick<ControlParts, 'line' | 'log'>): Record<string, Command> {
  const revoke = (command: string, args: Arguments, terminate: boolean): unknown => {
    const signal = terminate ? signum(args.signal) : null
    const ids = [...new Set(texts(required(command, args, ['task_id']).task_id))]
    const stopped = line.revoke(ids, signal)
    if (terminate) return ok(stopped.length > 0 ? `terminate: ${stopped.join(', ')}` : 'terminate: tasks unknown')
    log.info(`Tasks flagged as revoked: ${ids.join(', ')}`)
    return ok(`tasks ${repr(new Set(ids))} flagged as revoked`)
  }
  return {
    revoke: (args) => revoke('revoke', args, truth(args.terminate)),
    terminate: (args) => {
      required('terminate', args, ['signal', 'task_id'])
      return revoke('terminate', args, true)
    },
    revoke_by_stamped_headers: (args) => {
      const stamps = stampsOf(required('revoke_by_stamped_headers', args, ['headers']).headers)
      // Looked at in any case, as Celery does.
      const signal = signum(args.signal)
      const terminate = truth(args.terminate)
      line.revokeByStamps(stamps, terminate ? signal : null)
      if (!terminate) return ok(`headers ${repr(stamps)} flagged as revoked, but not terminated`)
      const stopped = [...line.state.running].some(
        (request) => request.terminatedBy !== null && line.revoked.hasStampOf(request.message.headers),
      )
      return ok(`headers ${repr(stamps)} ${stopped ? 'revoked' : 'were not terminated'}`)
    },
  }
}

/** A dict of values or lists of them, or a list of `header=value`. */
function stampsOf(headers: unknown): Record<string, string[]> {
  const pairs: (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.map((text) => {
        const [name = '', ...value] = String(text).split('=')
        return [name, value.join('=')] as const
      })
    : Object.entries((headers ?? {}) as Record<string, unknown>)
  const stamps = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const values = stamps.get(name)
    const added = [value].flat().map(String)
    if (values) for (const each of added) values.push(each)
    else stamps.set(name, added)
  }
  return Object.fromEntries(stamps)
}
