import { fileURLToPath } from 'node:url'
import type { App } from '../app/app.js'
import { isApp } from '../app/load.js'
import { ConfigurationError } from '../errors.js'
import type { Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import { loadSettings } from '../settings/load.js'
import { hasChildren } from '../settings/slots.js'
import type { SettingInput, Settings } from '../settings/table.js'
import { logFault, type PlainLogger } from './givenLog.js'
import { inOptionNames, optionName, readOptions } from './options.js'
import type { SettingOptions } from './settingOptions.js'

/** Options that are not settings. */
const OTHERS = ['logger', 'appModule'] as const
/** Characters of a wrong argument that an error shows. */
const SHOWN = 80

/**
 * Options of `new Worker(app, options)`: every setting, in camelCase and without the prefix `worker_`
 * (`worker_max_tasks_per_child` is `maxTasksPerChild`, `task_time_limit` is `taskTimeLimit`). They override the
 * environment and the app's settings. Times are in seconds.
 */
export interface WorkerOptions extends SettingOptions {
  /** Queues to consume from, as `-Q`: by default all of `task_queues`, or else `task_default_queue`. */
  readonly queues?: readonly string[] | string | undefined
  /** Configured queues to leave out, as `-X`. */
  readonly excludeQueues?: readonly string[] | string | undefined
  /**
   * Number of slots, that is of tasks that run at the same time, as `-c`. Default: 16; with `pool: 'prefork'` or
   * `'threads'`, the number of processors.
   */
  readonly concurrency?: number | undefined
  /** The most and the fewest slots, as `--autoscale`, for instance `[16, 2]`; the number follows the queue. */
  readonly autoscale?: Exclude<SettingInput<'worker_autoscale'>, null> | undefined
  /** Messages reserved for each slot, as `--prefetch-multiplier`. Default: 1. */
  readonly prefetchMultiplier?: number | undefined
  /** Where tasks run, as `-P`: `'async'` (the default), `'threads'`, `'prefork'` or `'solo'`. Threads and prefork need `appModule`. */
  readonly pool?: SettingInput<'worker_pool'> | undefined
  /**
   * Module that the children of the pools threads and prefork load, as `-A` names it, or its URL: `import.meta.url` in
   * the module that exports the app. It must not start a worker when it is imported.
   */
  readonly appModule?: string | URL | undefined
  /**
   * Node name of the worker, as `-n`; `%h` is the host. Default: the app's name and the process id, such as
   * `shop-4711@%h`, with a number added for a second worker in the same process.
   */
  readonly hostname?: string | undefined
  /** Logger to use instead of stderr: `console`, a logger of winston or pino, or any object with the same functions. */
  readonly logger?: Logger | PlainLogger | undefined
  /** Lowest level that is logged. Default: WARNING; INFO with `logger`. */
  readonly logLevel?: SettingInput<'loglevel'> | undefined
  /**
   * Address of the probes, metrics and page, as `--http`: `'127.0.0.1:9891'`, or a port. Nothing listens unless this or
   * `worker_http` is set.
   */
  readonly http?: string | number | undefined
}

/** What a worker started by a program is made of. */
export interface PreparedWorker {
  readonly app: App
  readonly settings: Settings
  readonly configured: ReadonlyMap<string, unknown>
  readonly warnings: readonly string[]
  readonly logger: Logger | PlainLogger | null
}

/**
 * Combines the settings of a worker that a program starts, from the app, the environment and the options.
 * @throws ConfigurationError with everything that is wrong
 */
export function prepareWorker(app: unknown, options: unknown): PreparedWorker {
  const faults: string[] = []
  if (!isApp(app)) {
    faults.push(`the first argument is ${repr(app, SHOWN)}: expected an app, such as new Celery('name')`)
  }
  const given = isRecord(options) ? options : {}
  if (!isRecord(options)) faults.push(`the options are ${repr(options, SHOWN)}: expected an object`)
  const { flags, faults: misnamed } = readOptions(given, OTHERS)
  const wrongLog = logFault(given.logger)
  const specifier = moduleOf(given.appModule, faults)
  const read = (more: Readonly<Record<string, unknown>>) =>
    loadSettings({
      config: isApp(app) ? app.conf : {},
      env: process.env,
      flags: { ...flags, ...more, ...(specifier === null ? {} : { app: specifier }) },
      nameOf: optionName,
    })
  const first = read({})
  const loaded =
    first.configured.has('worker_http') || flags.without_http !== undefined ? first : read({ without_http: true })
  const { settings, configured, warnings } = loaded
  faults.push(...misnamed, ...(wrongLog === null ? [] : [wrongLog]), ...loaded.faults.map(inOptionNames))
  if (hasChildren(settings.worker_pool) && settings.app === null && given.appModule === undefined) {
    faults.push(
      `pool ${JSON.stringify(settings.worker_pool)}: needs appModule, the module that its children load, such as appModule: import.meta.url`,
    )
  }
  if (!isApp(app) || faults.length > 0) throw new ConfigurationError(faults.map((fault) => `new Worker: ${fault}`))
  const logger = (given.logger ?? null) as Logger | PlainLogger | null
  const level = logger !== null && flags.loglevel === undefined ? { loglevel: 'INFO' as const } : {}
  return { app, settings: { ...settings, ...level }, configured, warnings: warnings.map(inOptionNames), logger }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns the module that children load, in the form of `-A`. */
function moduleOf(given: unknown, faults: string[]): string | null {
  if (given === undefined) return null
  const text = given instanceof URL ? given.href : given
  if (typeof text === 'string' && text !== '') {
    try {
      return text.startsWith('file:') ? fileURLToPath(text) : text
    } catch {
      // For example a URL with a host.
    }
  }
  faults.push(
    `appModule is ${repr(given, SHOWN)}: expected the path of a module or its file: URL, such as import.meta.url`,
  )
  return null
}
