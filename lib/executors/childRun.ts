import type { App } from '../app/app.js'
import type { GuardedCall } from '../app/breakers.js'
import { TaskContext } from '../app/context.js'
import { SoftTimeLimitExceeded } from '../app/limitErrors.js'
import { loadApp, loadModule } from '../app/load.js'
import { shownError } from '../breaker.js'
import { ConfigurationError, coerceError, textOf } from '../errors.js'
import { LOG_LEVELS, type Logger } from '../ports.js'
import { callTask } from '../trace/call.js'
import type { Outcome } from '../trace/outcome.js'
import { continueTrace } from '../tracing.js'
import {
  type AppSource,
  type FromChild,
  type Job,
  type LoggedLevel,
  type PlainOutcome,
  packOutcome,
  type ToChild,
  unpackError,
  unpackInfo,
} from './messages.js'
import { pack } from './parcel.js'

/** Enough to tell how a service is. */
const MOST_CALLS = 100

/** The child's side of a pool, in a process or a thread: loads the app, then runs one task after another. */
export class ChildRun {
  private readonly app: Promise<App>
  private readonly controllers = new Map<number, AbortController>()
  private readonly stores = new Map<number, { resolve(): void; reject(error: Error): void }>()
  private calls = 0
  private readonly guarded: GuardedCall[] = []

  /** @param memory bytes that the child takes up */
  constructor(
    source: AppSource,
    private readonly memory: () => number,
  ) {
    this.app = load(source).then((app) => this.listen(app))
    // Who asks whether it is loaded is told; until then a failure is no stray.
    this.app.catch(() => undefined)
  }

  /** How loading has ended. */
  async loaded(): Promise<FromChild> {
    try {
      await this.app
      return { type: 'loaded' }
    } catch (thrown) {
      const faults = thrown instanceof ConfigurationError ? thrown.faults : [coerceError(thrown).message]
      return { type: 'unfit', faults }
    }
  }

  /** Runs a task to its end, and says how it ended whatever happens: the worker waits for that. Never throws. */
  async run(job: Job, send: (message: FromChild) => void): Promise<void> {
    const children: string[] = []
    let outcome: Outcome
    try {
      outcome = await this.outcomeOf(job, children, send)
    } catch (thrown) {
      outcome = failure(thrown)
    }
    this.controllers.delete(job.number)
    const memoryKib = Math.ceil(this.memory() / 1024)
    const calls = this.guarded.splice(0)
    const done = (outcome: PlainOutcome): void => send({ type: 'done', end: { outcome, calls, children, memoryKib } })
    try {
      done(packOutcome(outcome))
    } catch (thrown) {
      // Something deep in it can't be copied after all, such as a function that an error carries along.
      done(packOutcome(failure(thrown)))
    }
  }

  private async outcomeOf(job: Job, children: string[], send: (message: FromChild) => void): Promise<Outcome> {
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
    const store = (state: string, meta: unknown): Promise<void> => this.store(state, meta, send)
    return continueTrace(job.carrier, () =>
      callTask({
        task,
        id,
        rootId,
        worker: hostname,
        args,
        kwargs,
        retries,
        children,
        context: () => new TaskContext(info, signal, childLog(job, send), task, store),
        aborted: () => (signal.aborted ? signal : null),
        monotonic: () => performance.now(),
      }),
    )
  }

  /** Takes what is said while a task runs. */
  receive(message: ToChild): void {
    if (message.type === 'abort') this.controllers.get(message.job)?.abort(unpackError(message.error))
    else if (message.type === 'soft-limit')
      this.controllers.get(message.job)?.abort(new SoftTimeLimitExceeded(message.seconds))
    else if (message.type === 'stored') this.stored(message)
  }

  /** Closes the connection that a task's own messages opened, if any. */
  async close(): Promise<void> {
    await (await this.app).close()
  }

  /** The worker keeps count of the calls of all its children. */
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

  private store(state: string, meta: unknown, send: (message: FromChild) => void): Promise<void> {
    const call = ++this.calls
    return new Promise((resolve, reject) => {
      this.stores.set(call, { resolve, reject })
      try {
        send({ type: 'store', call, state, meta: pack(meta) })
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

function failure(thrown: unknown): Outcome {
  return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 }
}

/** `self.log` of a task: its lines are written by the worker. */
function childLog({ levels }: Job, send: (message: FromChild) => void): Logger {
  const line =
    (level: LoggedLevel) =>
    (message: string, facts?: Record<string, unknown>): void => {
      if (!levels.includes(level)) return
      const text = lineOf(message)
      try {
        send({ type: 'log', level, message: text, facts: pack(facts) })
      } catch (thrown) {
        // A line must not fail for what goes with it.
        send({ type: 'log', level, message: text, facts: { facts: coerceError(thrown).message } })
      }
    }
  return {
    debug: line('DEBUG'),
    info: line('INFO'),
    warning: line('WARNING'),
    error: line('ERROR'),
    critical: line('CRITICAL'),
    isEnabled: (level) => levels.some((each) => LOG_LEVELS.indexOf(each) <= LOG_LEVELS.indexOf(level)),
  }
}

/** In JavaScript anything can be logged. */
function lineOf(message: unknown): string {
  return typeof message === 'string' ? message : textOf(message)
}
