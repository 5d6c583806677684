import { EventEmitter } from 'node:events'
import { loadModule } from '../app/load.js'
import type { Celery } from '../celery.js'
import { CeleriacError, coerceError } from '../errors.js'
import { deferred } from '../listeners.js'
import type { Address } from '../settings/address.js'
import { type PreparedWorker, prepareWorker, type WorkerOptions } from './embeddedOptions.js'
import { claimNodename } from './nodename.js'
import type { Worker as Engine } from './worker.js'
import { openLog, type WorkerLog } from './workerLog.js'

/** How a worker ended. */
export interface WorkerEnd {
  /** Error that ended the worker, or kept it from starting; null after `stop`, `terminate` or a `shutdown` command. */
  readonly error: Error | null
}

/** Events that a worker emits to its program. */
export interface WorkerEvents {
  /** The worker consumes for the first time. */
  ready: []
  /** The connection to the broker is lost; the worker reconnects by itself. */
  lost: [reason: Error]
  /** The worker consumes again after a lost connection. */
  recovered: []
  /** The worker begins to stop: it takes no more messages. */
  stopping: []
  /** The worker has stopped, and holds nothing open. */
  stopped: [end: WorkerEnd]
}

/**
 * A worker inside a program: consumes queues and runs the app's tasks, as `celeriac worker` does. It handles no
 * signals, never ends the process and shares nothing with other workers: a process can have any number of them, of one
 * app or of several. Tasks send through the worker's connection; the rest of the program through the app's own. Mirrors
 * Celery's `app.Worker`.
 *
 * @example
 * await using worker = new Worker(app, { queues: ['short-running'], concurrency: 8 })
 * await worker.start()
 * await worker.ready
 */
export class Worker extends EventEmitter<WorkerEvents> implements AsyncDisposable {
  /**
   * Resolves when the worker consumes for the first time; rejects if it ends before. Waits for a broker that is
   * unavailable at the start.
   */
  readonly ready: Promise<void>
  /** Resolves when the worker has stopped, for whatever reason. Never rejects. */
  readonly ended: Promise<WorkerEnd>
  private readonly prepared: PreparedWorker
  private readonly first = deferred<void>()
  private readonly last = deferred<WorkerEnd>()
  private starting: Promise<void> | null = null
  private stopAsked = false
  private isOver = false
  private hasConsumed = false
  private engine: Engine | null = null
  private log: WorkerLog | null = null
  private releaseName: () => void = () => undefined
  private nodename: string | null = null

  /**
   * Creates a worker that doesn't connect, or load what it needs, before `start`.
   * @throws ConfigurationError with everything that is wrong with the options and the settings
   */
  constructor(app: Celery, options: WorkerOptions = {}) {
    super()
    this.prepared = prepareWorker(app, options)
    this.ready = this.first.promise
    this.ended = this.last.promise
    // Programs that don't wait for it have `start` and `ended`.
    this.ready.catch(() => undefined)
  }

  /** The node name, `name@host`; null before the start. */
  get hostname(): string | null {
    return this.nodename
  }

  /**
   * Reasons why the worker can't do its work; empty when it is ready. Meant for a readiness probe of the program's own.
   */
  get readiness(): readonly string[] {
    if (this.isOver) return ['it has stopped']
    return this.engine?.readiness ?? ['it has not started']
  }

  /** Address of the probes, metrics and page; null unless `http` is set and the server listens. */
  get httpAddress(): Address | null {
    return this.engine?.probes.address ?? null
  }

  /**
   * Starts the worker. Resolves when its parts have started; `ready` resolves when it consumes. Later calls return the
   * same promise.
   * @throws ConfigurationError if a module of `imports` or `appModule` can't be loaded, or the error that kept it from
   * starting; the worker has ended then
   */
  start(): Promise<void> {
    this.starting ??= this.begin()
    return this.starting
  }

  /**
   * Stops the worker (warm shutdown): takes no more messages, gives back what hasn't started, waits for running tasks
   * without a limit, and closes its connections. Resolves when it has stopped; never rejects.
   */
  async stop(): Promise<void> {
    await this.end((engine) => engine.stop())
  }

  /**
   * Stops the worker (cold shutdown): as `stop`, but tasks that still run after `worker_soft_shutdown_timeout` are told
   * so by their signal and left to the broker. May follow `stop`. Resolves when it has stopped; never rejects.
   */
  async terminate(): Promise<void> {
    await this.end((engine) => engine.terminate())
  }

  /** Stops the worker at the end of the block of `await using`, as `stop` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  private async begin(): Promise<void> {
    if (this.isOver)
      throw new CeleriacError('CELERIAC_WORKER', 'A stopped worker cannot be started again: create a new one')
    try {
      const engine = await this.build()
      if (this.stopAsked) return
      await engine.start()
    } catch (thrown) {
      this.over({ error: coerceError(thrown) })
      throw thrown
    }
  }

  private async build(): Promise<Engine> {
    const { app, configured, settings, warnings } = this.prepared
    const [nodename, release] = claimNodename(settings.hostname, app.main)
    this.nodename = nodename
    this.releaseName = release
    const log = await openLog(this.prepared)
    this.log = log
    for (const module of [...settings.imports, ...settings.include]) await loadModule(module, process.cwd())
    const { buildWorker } = await import('./build.js')
    for (const warning of warnings) log.logger('settings').warning(warning)
    const engine = buildWorker({ app, configured, nodename, settings, lendsToTasksOnly: true, log: log.logger })
    this.engine = engine
    const { life } = engine
    life.onConsuming.add(() => this.consumes())
    life.onLost.add((reason) => this.tell('lost', reason))
    life.onStopping.add(() => this.tell('stopping'))
    void engine.ended.then(() => this.over({ error: life.failure }))
    return engine
  }

  private consumes(): void {
    const isFirst = !this.hasConsumed
    this.hasConsumed = true
    if (isFirst) this.first.resolve()
    this.tell(isFirst ? 'ready' : 'recovered')
  }

  private async end(how: (engine: Engine) => Promise<void>): Promise<void> {
    this.stopAsked = true
    // A start that fails ends the worker by itself; one that has built nothing yet is abandoned.
    if (this.engine === null) await this.starting?.catch(() => undefined)
    if (this.engine === null) this.over({ error: null })
    else if (!this.isOver) await how(this.engine)
    await this.ended
  }

  private over(end: WorkerEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.releaseName()
    this.first.reject(end.error ?? new CeleriacError('CELERIAC_WORKER', 'The worker has stopped before it was ready'))
    const told = (): void => {
      this.tell('stopped', end)
      this.last.resolve(end)
    }
    void (this.log?.close() ?? Promise.resolve()).then(told, told)
  }

  /** Calls the listeners of an event. One that throws affects neither the other listeners nor the worker. */
  private tell<Name extends keyof WorkerEvents>(name: Name, ...args: WorkerEvents[Name]): void {
    for (const listener of this.rawListeners(name) as Array<(...args: unknown[]) => void>) {
      try {
        listener.apply(this, args)
      } catch (thrown) {
        const error = coerceError(thrown)
        this.log?.logger('worker').error(`A listener of '${name}' has thrown: ${error.message}`, { error })
      }
    }
  }
}
