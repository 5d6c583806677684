import { repr } from '../../protocol/repr.js'
import { nearest } from '../../settings/nearest.js'
import type { HookName } from './hookArguments.js'

const NAMES: Readonly<Record<HookName, true>> = {
  beforeTaskPublish: true,
  afterTaskPublish: true,
  taskReceived: true,
  taskPrerun: true,
  taskPostrun: true,
  taskSuccess: true,
  taskFailure: true,
  taskRetry: true,
  taskRevoked: true,
  taskRejected: true,
  taskUnknown: true,
  workerInit: true,
  workerProcessInit: true,
  workerReady: true,
  workerShuttingDown: true,
  workerShutdown: true,
}

/** Signals of Celery that are missing here, and what to use instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  workerProcessShutdown: 'give a resource a stop: app.resource(name, { start, stop })',
  celerydInit: 'use workerInit',
  celerydAfterSetup: 'use workerInit',
  taskInternalError: 'they are in the log',
  taskSent: 'use afterTaskPublish',
  setupLogging: 'settings and flags decide about the log',
  afterSetupLogger: 'settings and flags decide about the log',
  afterSetupTaskLogger: 'settings and flags decide about the log',
  importModules: 'import modules in the module of the app',
}

/** @throws TypeError with a suggestion, for an unknown hook name */
export function checkHookName(name: unknown): asserts name is HookName {
  if (typeof name === 'string' && Object.hasOwn(NAMES, name)) return
  const known = Object.keys(NAMES)
  if (typeof name !== 'string') {
    throw new TypeError(`app.on(${repr(name, 80)}): expected the name of a hook, one of ${known.join(', ')}`)
  }
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const where = `app.on(${repr(name, 80)}): there is no such hook`
  const remedy = Object.hasOwn(ELSEWHERE, camel) ? ELSEWHERE[camel] : undefined
  if (remedy !== undefined) throw new TypeError(`${where}: ${remedy}`)
  const guess = known.includes(camel) ? camel : nearest(camel, known)
  throw new TypeError(
    guess === undefined ? `${where}: expected one of ${known.join(', ')}` : `${where}; did you mean ${guess}?`,
  )
}
