import type { Registry } from '../../app/registry.js'
import type { Logger } from '../../ports.js'
import { repr } from '../../protocol/repr.js'
import type { Policies } from '../../request/policy.js'
import type { Rates } from '../../request/rates.js'
import { optional, seconds } from '../../settings/parse.js'
import { rate } from '../../settings/rate.js'
import { type Arguments, type Command, nok, ok } from '../panel.js'

export interface TaskCommandParts {
  readonly tasks: Registry
  readonly policies: Policies
  readonly rates: Rates
  readonly log: Logger
  revoke(ids: readonly string[], terminate: boolean): readonly string[]
  revokeByStamps(stamps: Readonly<Record<string, readonly string[]>>, terminate: boolean): void
}

/** The commands about tasks, with the texts of Celery 5.6. */
export function taskCommands({
  log,
  policies,
  rates,
  revoke,
  revokeByStamps,
  tasks,
}: TaskCommandParts): Record<string, Command> {
  const revokeIds = (args: Arguments, terminate: boolean): unknown => {
    const ids = texts(args.task_id)
    const running = revoke(ids, terminate)
    if (!terminate) {
      log.info(`Tasks flagged as revoked: ${ids.join(', ')}`)
      return ok(`tasks {${ids.map((id) => repr(id)).join(', ')}} flagged as revoked`)
    }
    return ok(running.length > 0 ? `terminate: ${running.join(', ')}` : 'terminate: tasks unknown')
  }
  return {
    revoke: (args) => revokeIds(args, args.terminate === true),
    terminate: (args) => revokeIds(args, true),
    revoke_by_stamped_headers: ({ headers, terminate }) => {
      const stamps = stampsOf(headers)
      revokeByStamps(stamps, terminate === true)
      return ok(`headers ${repr(stamps)} ${terminate === true ? 'revoked' : 'flagged as revoked, but not terminated'}`)
    },
    rate_limit: ({ rate_limit, task_name }) => {
      const name = String(task_name)
      if (!tasks.get(name)) return nok('unknown task')
      let perSecond: number | null
      try {
        perSecond = rate(rate_limit)
      } catch {
        return nok(`Invalid rate limit string: ValueError(${repr(`could not read ${String(rate_limit)}`)})`)
      }
      rates.set(name, perSecond)
      log.info(
        perSecond === null
          ? `Rate limits disabled for tasks of type ${name}`
          : `New rate limit for tasks of type ${name}: ${String(rate_limit)}.`,
      )
      return ok(perSecond === null ? 'rate limit disabled successfully' : 'new rate limit set successfully')
    },
    time_limit: ({ hard, soft, task_name }) => {
      const task = tasks.get(String(task_name))
      if (!task) return nok('unknown task')
      const limits = { timeLimit: optional(seconds)(hard), softTimeLimit: optional(seconds)(soft) }
      policies.change(task, limits)
      log.info(`New time limits for tasks of type ${task.name}: soft=${repr(soft ?? null)} hard=${repr(hard ?? null)}`)
      return ok('time limits set successfully')
    },
  }
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
}

/** A dict of values or lists of them, or a list of `header=value`. */
function stampsOf(headers: unknown): Record<string, string[]> {
  const pairs: (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.map((text) => {
        const [name = '', ...value] = String(text).split('=')
        return [name, value.join('=')] as const
      })
    : Object.entries((headers ?? {}) as Record<string, unknown>)
  const stamps: Record<string, string[]> = {}
  for (const [name, value] of pairs) stamps[name] = [...(stamps[name] ?? []), ...[value].flat().map(String)]
  return stamps
}
