import type { App } from '../app/app.js'
import type { GuardedCall } from '../app/breakers.js'
import { TaskContext } from '../app/context.js'
import { SoftTimeLimitExceeded } from '../app/limitErrors.js'
import { loadApp, loadModule } from '../app/load.js'
import type { ResourceTerms } from '../app/resources.js'
import { shownError } from '../breaker.js'
import { ConfigurationError, coerceError } from '../errors.js'
import type { ResultTuple } from '../protocol/result.js'
import { type Call, callTask } from '../trace/call.js'
import type { Outcome } from '../trace/outcome.js'
import { tellBegin, tellEnd } from '../trace/runHooks.js'
import { continueTrace } from '../tracing.js'
import { childLog } from './childLog.js'
import { tooLate } from './executor.js'
import {
  type AppSource,
  type ChildTerms,
  type FromChild,
  type Job,
  type PlainOutcome,
  packOutcome,
  type ToChild,
  unpackError,
  unpackInfo,
  unpackOutcome,
} from './messages.js'
import { pack } from './parcel.js'

const DEFAULT_TERMS: ChildTerms = { hostname: '', hookTimeoutMs: 10_000, resourceTimeoutMs: 30_000 }
/** Enough to tell the state of a service. */
const MOST_CALLS = 100

/** The child's side of a pool, in a process or a thread: loads the app, then runs one task after another. */
export class ChildRun {
  private readonly app: Promise<App>
  private readonly controllers = new Map<number, AbortController>()
  /** The jobs whose end no longer counts. */
  private readonly over = new Set<number>()
  private readonly stores = new Map<number, { resolve(): void; reject(error: Error): void }>()
  private calls = 0
  private readonly guarded: GuardedCall[] = []

  private readonly resourceTerms: ResourceTerms

  /**
   * @param memory bytes that the child uses
   * @param say sends the worker a message that belongs to no task
   */
  constructor(
    source: AppSource,
    private readonly memory: () => number,
    say: (message: FromChild) => void,
  ) {
    const { terms = DEFAULT_TERMS } = source
    const log = childLog(['WARNING', 'ERROR', 'CRITICAL'], null, say)
    this.resourceTerms = { timeoutMs: terms.resourceTimeoutMs, log }
    this.app = load(source).then(async (app) => {
      app.hooks.configure({ timeoutMs: terms.hookTimeoutMs, log })
      await app.resources.start(this.resourceTerms)
      await app.hooks.tell('workerProcessInit', () => ({ hostname: terms.hostname }))
      return this.listen(app)
    })
    // Whoever asks for `loaded` gets the error; until then a rejection must not count as unhandled.
    this.app.catch(() => undefined)
  }

  /** Returns the result of loading the app. */
  async loaded(): Promise<FromChild> {
    try {
      await this.app
      return { type: 'loaded' }
    } catch (thrown) {
      const faults = thrown instanceof ConfigurationError ? thrown.faults : [coerceError(thrown).message]
      return { type: 'unfit', faults }
    }
  }

  /** Runs a task to its end, and always reports how it ended: the worker waits for that. Never throws. */
  async run(job: Job, send: (message: FromChild) => void): Promise<void> {
    const children: ResultTuple[] = []
    let outcome: Outcome
    try {
      outcome = await this.outcomeOf(job, children, send)
    } catch (thrown) {
      outcome = failure(thrown)
    }
    this.controllers.delete(job.number)
    this.over.delete(job.number)
    const memoryKib = Math.ceil(this.memory() / 1024)
    const calls = this.guarded.splice(0)
    const done = (outcome: PlainOutcome, children: readonly ResultTuple[]): void =>
      send({ type: 'done', end: { outcome, calls, children, memoryKib } })
    try {
      done(packOutcome(outcome), children)
    } catch (thrown) {
      // Something inside can't be copied after all, such as a function attached to an error, or children that are
      // nested too deeply.
      done(packOutcome(failure(thrown)), [])
    }
    Object.freeze(children)
  }

  private async outcomeOf(job: Job, children: ResultTuple[], send: (message: FromChild) => void): Promise<Outcome> {
    const app = await this.app
    app.breakers.follow(job.breakers)
    const info = unpackInfo(job.info)
    const { args, hostname, id, kwargs, retries, rootId, task: name } = info
    const controller = new AbortController()
    const { signal } = controller
    this.controllers.set(job.number, controller)
    const task = app.tasks.get(name)
    if (!task) {
      return failure(
        new Error(`the child process knows no task ${name}: its module registers tasks only in some processes`),
      )
    }
    const store = (state: string, meta: unknown): Promise<void> => this.store(job.number, state, meta, send)
    const call: Call = {
      of: { task, id, rootId, args, kwargs, retries, children },
      worker: hostname,
      around: app.middleware.around,
      request: () => info,
      context: () =>
        new TaskContext(info, signal, childLog(job.levels, job.number, send), task, store, app.resources.values),
      aborted: () => (signal.aborted ? signal : null),
      isOver: () => this.over.has(job.number),
      monotonic: () => performance.now(),
    }
    return continueTrace(job.carrier, async () => {
      if (!app.hooks.any) return callTask(call)
      const run = { hooks: app.hooks, task, request: info, children }
      await tellBegin(run)
      if (job.hooked) send({ type: 'begun' })
      const outcome = signal.aborted ? aborted(signal) : sendable(await callTask(call))
      if (job.hooked) send({ type: 'ended' })
      await tellEnd(run, outcome)
      return outcome
    })
  }

  /** Handles a message that arrives while a task runs. */
  receive(message: ToChild): void {
    if (message.type === 'abort') {
      const controller = this.controllers.get(message.job)
      if (controller && message.isOver) this.over.add(message.job)
      controller?.abort(unpackError(message.error))
    } else if (message.type === 'soft-limit')
      this.controllers.get(message.job)?.abort(new SoftTimeLimitExceeded(message.seconds))
    else if (message.type === 'stored') this.stored(message)
  }

  /** Closes the app's resources, and the connection opened by a task's own messages, if any. */
  async close(): Promise<void> {
    const app = await this.app
    await app.hooks.settled()
    await app.resources.stop(this.resourceTerms)
    await app.close()
  }

  /** Reports calls guarded by breakers to the worker, which counts those of all its children. */
  private listen(app: App): App {
    for (const breaker of app.breakers) {
      breaker.onCall((failure) => {
        this.guarded.push({ breaker: breaker.name, failure: failure && shownError(failure) })
        if (this.guarded.length > MOST_CALLS) this.guarded.shift()
      })
    }
    return app
  }

  private stored(message: ToChild & { type: 'stored' }): void {
    const store = this.stores.get(message.call)
    this.stores.delete(message.call)
    if (message.error) store?.reject(unpackError(message.error))
    else store?.resolve()
  }

  private store(job: number, state: string, meta: unknown, send: (message: FromChild) => void): Promise<void> {
    // The worker listens to the present job only: code that a task has left behind would wait for ever.
    if (!this.controllers.has(job)) return Promise.reject(tooLate(state))
    const call = ++this.calls
    return new Promise((resolve, reject) => {
      this.stores.set(call, { resolve, reject })
      try {
        send({ type: 'store', job, call, state, meta: pack(meta) })
      } catch (thrown) {
        this.stores.delete(call)
        reject(thrown)
      }
    })
  }
}

async function load({ specifier, cwd, include }: AppSource): Promise<App> {
  const app = await loadApp(specifier, cwd)
  for (const module of include) await loadModule(module, cwd)
  return app
}

/** Hooks must see the same end as the worker: a result that can't be sent to it becomes a failure. */
function sendable(outcome: Outcome): Outcome {
  if (outcome.state !== 'SUCCESS') return outcome
  const plain = packOutcome(outcome)
  return plain.state === 'FAILURE' ? unpackOutcome(plain) : outcome
}

function aborted(signal: AbortSignal): Outcome {
  return { state: 'ABORTED', error: coerceError(signal.reason), runtimeMs: 0 }
}

function failure(thrown: unknown): Outcome {
  return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 }
}
