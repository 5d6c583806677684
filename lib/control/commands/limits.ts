import type { Task } from '../../app/task.js'
import { repr } from '../../protocol/repr.js'
import type { Policy } from '../../request/policy.js'
import { optional, seconds } from '../../settings/parse.js'
import { rate } from '../../settings/rate.js'
import { anyText, argument, raw, required, texts, truth } from '../arguments.js'
import { command, nok, ok } from '../command.js'

/** Items that `registered` shows by default. The first two are Celery's; no task here has them. */
const DEFAULT_ITEMS = ['exchange', 'routing_key', 'rate_limit']

const limit = argument('float', optional(seconds))

/** Commands about the tasks that the worker knows, and their limits. */
export const limitCommands = [
  command({
    name: 'registered',
    kind: 'inspect',
    help: 'Registered tasks, with the options named.',
    aliases: ['dump_tasks'],
    args: { taskinfoitems: texts },
    more: { builtins: truth },
    signature: '[attr1 [attr2 [... [attrN]]]]',
    run: ({ builtins, taskinfoitems }, { line, settings, tasks }) => {
      const items = taskinfoitems.length > 0 ? taskinfoitems : DEFAULT_ITEMS
      return [...tasks]
        .filter(({ name }) => builtins || !name.startsWith('celery.'))
        .map((task) => described(task, line.policies.of(task), settings.task_serializer, items))
        .sort()
    },
  }),
  command({
    name: 'rate_limit',
    kind: 'control',
    help: 'Change how often a task may start; 0 removes the limit.',
    args: { task_name: required(anyText), rate_limit: required(raw) },
    signature: '<task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>',
    run: ({ rate_limit, task_name: name }, { line, log, tasks }) => {
      let perSecond: number | null
      try {
        perSecond = rate(rate_limit)
      } catch {
        return nok(
          `Invalid rate limit string: ValueError(${repr(`could not convert string to float: ${repr(rate_limit)}`)})`,
        )
      }
      const task = tasks.get(name)
      if (!task) {
        log.error(`Rate limit attempt for unknown task ${name}`)
        return nok('unknown task')
      }
      line.gate.rates.set(name, perSecond)
      line.policies.change(task, { rateLimit: (rate_limit ?? null) as Policy['rateLimit'] })
      // Celery tests the value as given: the text 0 is a rate like any other, and removes the limit as the number does.
      if (!rate_limit) {
        log.info(`Rate limits disabled for tasks of type ${name}`)
        return ok('rate limit disabled successfully')
      }
      log.info(`New rate limit for tasks of type ${name}: ${String(rate_limit)}.`)
      return ok('new rate limit set successfully')
    },
  }),
  command({
    name: 'time_limit',
    kind: 'control',
    help: "Change a task's time limits, for messages that carry none.",
    args: { task_name: anyText, soft: limit, hard: limit },
    signature: '<task_name> <soft_secs> [hard_secs]',
    run: (args, { line, log, tasks }) => {
      const task = tasks.get(args.task_name)
      if (!task) {
        log.error(`Change time limit attempt for unknown task ${args.task_name}`)
        return nok('unknown task')
      }
      const { hard, soft } = args
      line.policies.change(task, { timeLimit: hard, softTimeLimit: soft })
      log.info(`New time limits for tasks of type ${task.name}: soft=${repr(soft)} hard=${repr(hard)}`)
      return ok('time limits set successfully')
    },
  }),
]

/** Returns `name`, or `name [rate_limit=10/m]`: the items under Celery's names, without those that have no value. */
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
