import type { Task } from '../../app/task.js'
import { repr } from '../../protocol/repr.js'
import type { Policy } from '../../request/policy.js'
import { optional, seconds } from '../../settings/parse.js'
import { rate } from '../../settings/rate.js'
import { required, texts, truth } from '../arguments.js'
import { type Command, nok, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** What `registered` tells of a task unless it is asked for something else. The first two are Celery's; no task here has them. */
const DEFAULT_ITEMS = ['exchange', 'routing_key', 'rate_limit']

/** The commands about the tasks that the worker knows, and how much of them it runs. */
export function limitCommands({
  line,
  log,
  settings,
  tasks,
}: Pick<ControlParts, 'line' | 'log' | 'settings' | 'tasks'>): Record<string, Command> {
  /** As they were given, by the name of the task. */
  const changedRates = new Map<string, string | number | null>()
  const policyOf = (task: Task): Policy => {
    const policy = line.policies.of(task)
    return {
      ...policy,
      rateLimit: changedRates.has(task.name) ? (changedRates.get(task.name) ?? null) : policy.rateLimit,
    }
  }
  return {
    registered: ({ builtins, taskinfoitems }) => {
      const items = texts(taskinfoitems)
      return [...tasks]
        .filter(({ name }) => truth(builtins) || !name.startsWith('celery.'))
        .map((task) =>
          described(task, policyOf(task), settings.task_serializer, items.length > 0 ? items : DEFAULT_ITEMS),
        )
        .sort()
    },
    rate_limit: (args) => {
      const { rate_limit, task_name } = required('rate_limit', args, ['task_name', 'rate_limit'])
      let perSecond: number | null
      try {
        perSecond = rate(rate_limit)
      } catch {
        return nok(
          `Invalid rate limit string: ValueError(${repr(`could not convert string to float: ${repr(rate_limit)}`)})`,
        )
      }
      const name = String(task_name)
      if (!tasks.get(name)) {
        log.error(`Rate limit attempt for unknown task ${name}`)
        return nok('unknown task')
      }
      line.gate.rates.set(name, perSecond)
      changedRates.set(name, (rate_limit ?? null) as string | number | null)
      // Celery goes by what was given: the text 0, which lifts the limit as the number does, is a rate like any other.
      if (!rate_limit) {
        log.info(`Rate limits disabled for tasks of type ${name}`)
        return ok('rate limit disabled successfully')
      }
      log.info(`New rate limit for tasks of type ${name}: ${String(rate_limit)}.`)
      return ok('new rate limit set successfully')
    },
    time_limit: ({ hard, soft, task_name }) => {
      const task = tasks.get(String(task_name))
      if (!task) {
        log.error(`Change time limit attempt for unknown task ${String(task_name)}`)
        return nok('unknown task')
      }
      line.policies.change(task, { timeLimit: optional(seconds)(hard), softTimeLimit: optional(seconds)(soft) })
      log.info(`New time limits for tasks of type ${task.name}: soft=${repr(soft ?? null)} hard=${repr(hard ?? null)}`)
      return ok('time limits set successfully')
    },
  }
}

/** `name`, or `name [rate_limit=10/m]`: the items under Celery's names, those left out that the task has no value for. */
function described(task: Task, policy: Policy, serializer: string, items: readonly string[]): string {
  const values: Readonly<Record<string, unknown>> = {
    ...task.options,
    ...policy,
    name: task.name,
    maxRetries: task.maxRetries,
    defaultRetryDelay: task.defaultRetryDelay,
    serializer,
  }
  const fields = items.flatMap((item) => {
    const key = item.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    const value = Object.hasOwn(values, key) ? (values[key] ?? null) : null
    return value === null ? [] : [`${item}=${typeof value === 'string' ? value : repr(value)}`]
  })
  return fields.length > 0 ? `${task.name} [${fields.join(' ')}]` : task.name
}
