import { randomUUID } from 'node:crypto'
import { type BreakerOptions, createBreaker } from '../breaker.js'
import { systemClock } from '../clock.js'
import { encodeTask } from '../protocol/encode.js'
import type { Kwargs } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import type { Conf } from '../settings/conf.js'
import { AsyncResult, type ResultSource } from './asyncResult.js'
import { Breakers } from './breakers.js'
import { BREAKER_OPTIONS, SEND_OPTIONS } from './callOptionTables.js'
import { checkConf } from './conf.js'
import type { TaskContext } from './context.js'
import { currentRun } from './current.js'
import { DeclaredTask, type ResultOf, type SendTask } from './declaredTask.js'
import { plainObject } from './optionChecks.js'
import { checkOptions } from './options.js'
import type { Loan, LoanTerms, Outlet, SendOptions } from './outlet.js'
import { Registry } from './registry.js'
import type { ArgsOf, SchemaOptions } from './schemaArguments.js'
import { traceSend } from './sendSpan.js'
import { type BoundHandler, type CallOf, type Handler, Task } from './task.js'
import type { TaskOptions } from './taskOptions.js'

/** Characters of a wrong argument that are shown. */
const SHOWN = 80

/** How the CLI recognises an app that was built by another copy of this package. */
export const APP_BRAND: unique symbol = Symbol.for('celeriac.app')

/** One task's call must not shut off a service, nor may a second's calm open the gates again: seconds, not moments. */
const BREAKER_DEFAULTS: BreakerOptions = { windowMs: 10_000, volumeThreshold: 5, resetTimeoutMs: 10_000 }

/** The registry of tasks, the configuration, and the way out for messages. Without any broker in it: see `lib/celery.ts`. */
export abstract class App {
  readonly [APP_BRAND] = true
  /** The settings that it was made with. */
  readonly conf: Readonly<Record<string, unknown>>
  readonly tasks = new Registry()
  /** Those that `breaker` has made. */
  readonly breakers = new Breakers()
  /** The name of this process's reply queue: Celery's `oid`. */
  readonly oid = randomUUID()
  private readonly loans: Loan[] = []
  private outlet: Outlet | null = null

  /**
   * @param main the app's name, shown in the banner
   * @param conf settings under Celery's lower-case names
   * @throws TypeError for settings in camelCase, and for `broker` and `backend`, which Python's constructor takes
   */
  constructor(
    readonly main: string,
    conf: Conf = {},
  ) {
    checkConf(main, conf)
    this.conf = conf
  }

  /**
   * Registers a task. Mirrors Celery's `@app.task(name=...)`. The handler's arguments and result are the types of `delay`, `applyAsync` and
   * `get`; with a schema and `params`, the schema's.
   * @throws TypeError for a name that is empty or taken, and for options that do not exist or are of the wrong type or range
   */
  task<Own extends Handler>(name: string, handler: Own): Task<Parameters<Own>, ResultOf<ReturnType<Own>>>
  task<const Names extends readonly string[], Input, Output, Returned>(
    name: string,
    options: SchemaOptions<Names, Input, Output> & { bind: true },
    handler: (self: TaskContext, ...args: ArgsOf<Names, Output>) => Returned,
  ): Task<ArgsOf<Names, Input>, ResultOf<Returned>>
  task<const Names extends readonly string[], Input, Output, Returned>(
    name: string,
    options: SchemaOptions<Names, Input, Output> & { bind?: false },
    handler: (...args: ArgsOf<Names, Output>) => Returned,
  ): Task<ArgsOf<Names, Input>, ResultOf<Returned>>
  task<Own extends BoundHandler>(
    name: string,
    options: TaskOptions & { bind: true },
    handler: Own,
  ): Task<CallOf<Own>, ResultOf<ReturnType<Own>>>
  task<Own extends Handler>(
    name: string,
    options: TaskOptions & { bind?: false },
    handler: Own,
  ): Task<Parameters<Own>, ResultOf<ReturnType<Own>>>
  task(name: string, options: TaskOptions, handler: Handler): Task
  task(name: string, optionsOrHandler: TaskOptions | Handler, handler?: Handler): Task {
    // Whoever runs it goes by the message, as Celery does.
    const asTask = (options: SendOptions): SendOptions => ({
      ignoreResult: task.options.ignoreResult ?? this.conf.task_ignore_result === true,
      ...options,
    })
    const send: SendTask = (args, kwargs, options) =>
      this.sendTask(name, args, kwargs, plainObject(options) === null ? asTask(options) : options)
    if (typeof optionsOrHandler === 'function' && handler !== undefined) {
      throw new TypeError(`task ${name}: the options come before the handler, as in app.task(name, options, handler)`)
    }
    const task =
      typeof optionsOrHandler === 'function'
        ? new Task(name, {}, optionsOrHandler, send)
        : new Task(name, optionsOrHandler, handler as Handler, send)
    return this.tasks.add(task)
  }

  /**
   * A task that is defined elsewhere, in Python for instance, with the types that it is called with here:
   * `app.declare<(x: number, y: number) => number>('tasks.add')`.
   * @throws TypeError for a name that is empty
   */
  declare<Signature extends (...args: never[]) => unknown>(
    name: string,
  ): DeclaredTask<Parameters<Signature>, ResultOf<ReturnType<Signature>>> {
    if (typeof name !== 'string' || name === '')
      throw new TypeError('declare needs the name of a task, such as "tasks.add"')
    return new DeclaredTask(name, (args, kwargs, options) => this.sendTask(name, args, kwargs, options))
  }

  /**
   * Guards calls to a service that tasks depend on. When more than half of the calls of the last 10 s fail, 5 at least, it opens:
   * calls are refused at once, the worker opens no more slots, and tasks with `pauseWhileOpen` wait without a slot. Every 10 s one
   * call is let through to try; the first that succeeds closes it. Celery has nothing of the kind.
   * @param name shown in `inspect stats`, metrics and on the page
   * @param fn the call; it needs a time limit of its own, since a call that never ends is no failure
   * @param options milliseconds and counts
   * @returns a function with the same arguments and result, that throws BreakerOpen while the breaker is open
   * @throws TypeError for a name that is empty or taken, a wrong option, or a call that is no function
   */
  breaker<Args extends unknown[], Result>(
    name: string,
    fn: (...args: Args) => Promise<Result> | Result,
    options: BreakerOptions = {},
  ): (...args: Args) => Promise<Result> {
    if (typeof fn !== 'function') throw new TypeError(`breaker ${name}: the call must be a function`)
    checkOptions(`breaker ${name}`, options, BREAKER_OPTIONS)
    const guard = createBreaker(name, async (...args: Args) => fn(...args), { ...BREAKER_DEFAULTS, ...options })
    this.breakers.add(guard)
    return (...args) => guard.run(...args)
  }

  /**
   * Publishes a task message by name and resolves once the broker has confirmed it. Mirrors Celery's `app.send_task`.
   * Sent from inside a task, the message becomes its child.
   * @throws BrokerError if the broker can't be reached or refuses; TypeError for a wrong option, and if an argument isn't JSON
   */
  async sendTask(
    name: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: SendOptions = {},
  ): Promise<AsyncResult> {
    if (typeof name !== 'string' || name === '')
      throw new TypeError('sendTask needs the name of a task, such as "tasks.add"')
    if (!Array.isArray(args)) throw new TypeError(`${name}: the arguments are ${repr(args, SHOWN)}: expected a list`)
    if (plainObject(kwargs) !== null) {
      throw new TypeError(`${name}: the keyword arguments are ${repr(kwargs, SHOWN)}: expected an object`)
    }
    checkOptions(name, options, SEND_OPTIONS)
    const outlet = this.use()
    const route = outlet.route(name, options)
    const id = options.taskId ?? randomUUID()
    const parent = currentRun.getStore()
    const eta =
      options.eta ?? (options.countdown === undefined ? null : new Date(Date.now() + options.countdown * 1000))
    const message = encodeTask({
      id,
      task: name,
      args,
      kwargs,
      route,
      eta,
      expires:
        typeof options.expires === 'number' ? new Date(Date.now() + options.expires * 1000) : (options.expires ?? null),
      rootId: parent?.rootId ?? id,
      parentId: parent?.id ?? null,
      replyTo: this.oid,
      headers: options.headers ?? {},
      ignoreResult: options.ignoreResult ?? false,
    })
    await outlet.prepare(route)
    const delayMs = eta === null ? 0 : eta.getTime() - Date.now()
    await traceSend(message, (message) => outlet.send(message, route, delayMs))
    parent?.children.push(id)
    return this.result(id)
  }

  /** What becomes of a task that was sent, by its id. Mirrors `app.AsyncResult`. */
  asyncResult(id: string): AsyncResult {
    this.use()
    return this.result(id)
  }

  /**
   * Gives the app a way out beside its own; returns what takes it back. Workers lend theirs like this: a task sends by that of the worker
   * that runs it.
   */
  lend(outlet: Outlet, terms: LoanTerms = {}): () => void {
    const loan: Loan = { outlet, worker: terms.worker ?? null, onlyTasks: terms.onlyTasks ?? false }
    this.loans.push(loan)
    return () => {
      const at = this.loans.indexOf(loan)
      if (at >= 0) this.loans.splice(at, 1)
    }
  }

  /** Closes the connection that `sendTask` opened, if it did. What workers lend is theirs to close. */
  async close(): Promise<void> {
    await this.outlet?.close()
    this.outlet = null
  }

  protected abstract open(): Outlet

  /** It asks through the way out that there is by then: a closed app opens another. */
  private result(id: string): AsyncResult {
    const backend: ResultSource = {
      get: (asked) => this.use().backend.get(asked),
      subscribe: (asked, onMeta) => this.use().backend.subscribe(asked, onMeta),
      forget: (asked) => this.use().backend.forget(asked),
    }
    return new AsyncResult(id, backend, systemClock)
  }

  private use(): Outlet {
    const run = currentRun.getStore()
    const loan =
      this.loans.find(({ worker }) => run !== undefined && worker === run.worker) ??
      this.loans.findLast(({ onlyTasks }) => run !== undefined || !onlyTasks)
    if (loan) return loan.outlet
    this.outlet ??= this.open()
    return this.outlet
  }
}
