import { LEVEL_NUMBERS } from '../../log/line.js'
import { localTime } from '../../log/localTime.js'
import { maskUrl } from '../../settings/mask.js'
import { selectQueues } from '../../settings/queues.js'
import type { Settings } from '../../settings/table.js'

export interface BannerFacts {
  readonly nodename: string
  readonly version: string
  /** System, release and processor. */
  readonly platform: string
  readonly now: Date
  readonly app: { readonly main: string; readonly tasks: Iterable<{ readonly name: string }> }
  readonly settings: Settings
}

const ROOT = [
  '     \\ | /     ',
  '   \\  \\|/  /   ',
  '    \\_\\|/_/    ',
  "   .-'   '-.   ",
  '  / .  .  . \\  ',
  ' |  .    .   | ',
  ' |    .   .  | ',
  '  \\ .   .   /  ',
  "   '-.,_,.-'   ",
  '   / / | \\ \\   ',
  "  ' /  |  \\ '  ",
] as const
const NO_FIGURE = ' '.repeat(ROOT[0].length)

const SLOTS = {
  async: 'a slot is one running task, not a process',
  solo: 'one task at a time, in this process',
  prefork: 'a slot is a child process, with one task at a time',
  threads: 'a slot is a thread, with one task at a time',
} as const

/**
 * The text that the worker prints to stdout before it starts: Celery's fields, beside another root. Tasks are listed
 * only at INFO and below.
 */
export function banner({ nodename, version, platform, now, app, settings }: BannerFacts): string {
  const beside = [
    ` ${nodename} v${version} (celeriac)`,
    '',
    ` ${platform} ${localTime(now)}`,
    '',
    ' [config]',
    ` .> app:         ${app.main}`,
    ` .> transport:   ${maskUrl(settings.broker_read_url ?? settings.broker_url).split(';')[0]}`,
    ` .> results:     ${settings.result_backend === null ? 'disabled://' : `${maskUrl(settings.result_backend)}`}`,
    ` .> concurrency: ${concurrency(settings)}`,
    `                 ${SLOTS[poolOf(settings)]}`,
    ` .> task events: ${settings.worker_send_task_events ? 'ON' : 'OFF (enable -E to monitor tasks in this worker)'}`,
    '',
    ' [queues]',
    ...queueLines(settings),
  ]
  const figure = beside.map((text, at) => `${ROOT[at] ?? NO_FIGURE}${text}`.trimEnd())
  return `${['', ...figure, '', ...taskLines(app.tasks, settings)].join('\n')}\n`
}

/** Where tasks run, whichever name was given for it. */
function poolOf({ worker_pool: pool }: Pick<Settings, 'worker_pool'>): keyof typeof SLOTS {
  if (pool === 'processes') return 'prefork'
  return pool === 'solo' || pool === 'prefork' || pool === 'threads' ? pool : 'async'
}

function concurrency({ worker_autoscale: bounds, worker_concurrency: slots, worker_pool: pool }: Settings): string {
  const size = bounds ? `{min=${bounds.min}, max=${bounds.max}}` : slots
  return `${size} (${poolOf({ worker_pool: pool })})`
}

function queueLines(settings: Settings): string[] {
  const { fleet, queues } = selectQueues(settings)
  return [...queues, ...fleet].map(
    (queue) =>
      ` .> ${queue.name.padEnd(16)} exchange=${queue.exchange.name}(${queue.exchange.type}) key=${queue.routingKey}${fleet.includes(queue) ? ` fleet, ${settings.worker_fleet_lanes} lanes` : ''}`,
  )
}

function taskLines(tasks: Iterable<{ readonly name: string }>, { loglevel }: Settings): string[] {
  if (LEVEL_NUMBERS[loglevel] > LEVEL_NUMBERS.INFO) return []
  const names = [...tasks]
    .map((task) => task.name)
    .filter((name) => loglevel === 'DEBUG' || !name.startsWith('celery.'))
  return ['[tasks]', ...names.sort().map((name) => `  . ${name}`), '']
}
