import { randomUUID } from 'node:crypto'
import type { App } from '../app/app.js'
import { ownerOf } from '../app/definitions.js'
import { isApp } from '../app/load.js'
import { Resources } from '../app/resources.js'
import { systemClock } from '../clock.js'
import { coerceError } from '../errors.js'
import { InlineExecutor } from '../executors/inline.js'
import { KeptLog } from '../log/kept.js'
import { decode } from '../protocol/decode.js'
import { encodeTask } from '../protocol/encode.js'
import type { Kwargs } from '../protocol/message.js'
import { decodeResult, encodeResult, resultMeta } from '../protocol/result.js'
import { Policies } from '../request/policy.js'
import { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'
import { TaskLog } from '../trace/taskLog.js'
import { HandDelivery } from './handDelivery.js'
import { limitsOf, outletOfRun, SentTasks } from './sent.js'
import { settingsOf } from './settingsOf.js'

/** Options for a run of one task. */
export interface RunOptions {
  /** Number of retries before. Default: 0, the first run. */
  readonly retries?: number
  /** Id of the task. Default: a random one. */
  readonly taskId?: string
  /** Custom headers of the message. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** Node name of the worker, for `self.request.hostname`. */
  readonly hostname?: string
  /** Tells the run to stop, as a worker's cold shutdown does. */
  readonly signal?: AbortSignal
  /**
   * Replacements for the app's resources, by name. Without this option they are opened for the run, and closed after
   * it.
   */
  readonly resources?: Readonly<Record<string, unknown>>
}

/** What a run leaves besides its outcome. */
export interface RunTraces {
  /** Messages that the task has sent; they are kept here and not published. */
  readonly sent: SentTasks
  /** Custom states that the task has stored by `self.updateState`, as others read them. */
  readonly states: readonly {
    /** Name of the state. */
    readonly state: string
    /** Metadata given with it. */
    readonly meta: unknown
  }[]
  /** Lines of `self.log`. */
  readonly log: KeptLog
}

/** A run, before its result has gone through JSON. */
export interface Ran extends RunTraces {
  readonly outcome: Outcome
}

/** Runs a task once. @throws TypeError if it is not a task of an app, or for arguments that JSON can't express */
export async function run(task: object, args: readonly unknown[], kwargs: Kwargs, options: RunOptions): Promise<Ran> {
  const app = appOf(task)
  const settings = settingsOf(app)
  const hostname = options.hostname ?? `testing-${randomUUID()}`
  const log = new KeptLog()
  const states: Array<{ state: string; meta: unknown }> = []
  const sent = new SentTasks(settings, () => undefined)
  const request = requestOf(app, task, args, kwargs, options)
  const { timeLimit, softTimeLimit } = new Policies(settings).of(request.task)
  const stop = (): void => request.abort(coerceError(options.signal?.reason))
  const terms = { timeoutMs: settings.worker_resource_timeout * 1000, log }
  const resources = options.resources === undefined ? app.resources : given(options.resources)
  await resources.start(terms)
  const takeBack = app.lend(outletOfRun(app, sent), { worker: hostname, onlyTasks: true })
  options.signal?.addEventListener('abort', stop)
  if (options.signal?.aborted) stop()
  try {
    const { hooks, middleware } = app
    const executor = new InlineExecutor({
      app: { middleware, resources },
      hooks,
      resourceTimeoutMs: terms.timeoutMs,
      clock: systemClock,
      log,
      hostname,
      size: 1,
      onStray: () => undefined,
    })
    const outcome = await executor.run(request, {
      limits: { hard: timeLimit, soft: softTimeLimit },
      log: new TaskLog(log, request),
      onStart: () => undefined,
      updateState: async (state, meta) => void states.push({ state, meta: throughJson(state, meta) }),
    })
    return { outcome: storable(outcome), sent, states, log }
  } finally {
    options.signal?.removeEventListener('abort', stop)
    takeBack()
    await resources.stop(terms)
  }
}

function appOf(task: object): App {
  const app: unknown = typeof task === 'object' && task !== null ? ownerOf(task) : null
  if (isApp(app)) return app
  throw new TypeError('expected a task that app.task() has returned')
}

/** Makes the request of a message as a client would send it, through JSON and back. */
function requestOf(app: App, task: object, args: readonly unknown[], kwargs: Kwargs, options: RunOptions): Request {
  const { name } = task as { name: string }
  const known = app.tasks.get(name)
  if (!known) throw new TypeError(`${name} is not a task of the app ${app.main}`)
  const id = options.taskId ?? randomUUID()
  const message = encodeTask({
    id,
    task: name,
    args,
    kwargs,
    route: { exchange: '', routingKey: 'testing', priority: 0 },
    eta: null,
    expires: null,
    rootId: id,
    parentId: null,
    replyTo: app.oid,
    headers: options.headers ?? {},
  })
  const headers = { ...message.properties.headers, retries: options.retries ?? 0 }
  const delivery = new HandDelivery({ ...message, properties: { ...message.properties, headers } })
  const decoded = decode(delivery.properties, delivery.content, limitsOf(settingsOf(app)))
  return new Request(decoded, known, delivery, null, true, systemClock.monotonic())
}

function given(values: Readonly<Record<string, unknown>>): Resources {
  const resources = new Resources()
  for (const [name, value] of Object.entries(values)) resources.add(name, { start: () => value })
  return resources
}

/** Returns a result as others read it; one that can't be written makes the task fail, as in a worker. */
function storable(outcome: Outcome): Outcome {
  if (outcome.state !== 'SUCCESS') return outcome
  try {
    return { ...outcome, result: throughJson('SUCCESS', outcome.result) }
  } catch (thrown) {
    return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: outcome.runtimeMs }
  }
}

function throughJson(status: string, result: unknown): unknown {
  return decodeResult(encodeResult(resultMeta({ taskId: '', status, result }, 0))).result
}
