import { type BreakerOptions, createBreaker } from '../breaker.js'
import type { Kwargs } from '../protocol/message.js'
import type { Conf } from '../settings/conf.js'
import type { AsyncResult } from './asyncResult.js'
import { Breakers } from './breakers.js'
import { BREAKER_OPTIONS } from './callOptionTables.js'
import { checkConf } from './conf.js'
import type { TaskContext } from './context.js'
import { DeclaredTask, type ResultOf, type SendTask } from './declaredTask.js'
import type { Hook, HookName } from './hooks/hookArguments.js'
import { Hooks } from './hooks/hooks.js'
import type { KwargsTask } from './kwargsTask.js'
import { type Middleware, Middlewares } from './middleware.js'
import { plainObject } from './optionChecks.js'
import { checkOptions, given } from './options.js'
import type { SendOptions } from './outlet.js'
import { type CommandArguments, type CommandOptions, OwnCommands } from './ownCommands.js'
import { Registry } from './registry.js'
import { Resources } from './resources.js'
import type { StandardSchema } from './schema.js'
import type { ArgsOf, GivenOf, SchemaOptions } from './schemaArguments.js'
import { checkLimits, checkSendOptions, overTask } from './sendOptions.js'
import { type BoundHandler, type CallOf, type Handler, Task } from './task.js'
import type { TaskOptions } from './taskOptions.js'
import type { SignatureHome } from './workflow/signature.js'

/**
 * The call of one task must not shut off a service, and a moment's calm elsewhere must not let all calls through again:
 * so the defaults are seconds, not moments.
 */
const BREAKER_DEFAULTS: BreakerOptions = { windowMs: 10_000, volumeThreshold: 5, resetTimeoutMs: 10_000 }

/** The app of each task, for code that has only the task. */
const owners = new WeakMap<object, Definitions<object>>()

/** The app that a task was registered with; undefined if the value is not a task of an app. */
export function ownerOf(task: object): Definitions<object> | undefined {
  return owners.get(task)
}

/**
 * What an app consists of: its tasks, settings, hooks, commands, middleware, breakers and resources. `Shared` are the
 * resources by name.
 */
export abstract class Definitions<Shared extends object> {
  /** The settings that the app was made with. */
  readonly conf: Readonly<Record<string, unknown>>
  /** The tasks by name. Mirrors Celery's `app.tasks`. */
  readonly tasks = new Registry()
  /** Breakers that `breaker` has made. @internal */
  readonly breakers = new Breakers()
  /** Hooks that `on` has added. @internal */
  readonly hooks = Hooks.none()
  /** Commands that `controlCommand` and `inspectCommand` have added. @internal */
  readonly commands = new OwnCommands()
  /** Middleware that `use` has added. @internal */
  readonly middleware = new Middlewares()
  /** Resources that `resource` has added. @internal */
  readonly resources = new Resources()

  /**
   * @param main the app's name, shown in the banner
   * @param conf settings under Celery's lower-case names
   * @throws TypeError for settings in camelCase, and for `broker` and `backend`, which Python's constructor takes
   */
  constructor(
    /** The app's name. */
    readonly main: string,
    conf: Conf = {},
  ) {
    checkConf(main, conf)
    this.conf = conf
  }

  /**
   * Registers a task. Mirrors Celery's `@app.task(name=...)`. The handler's arguments and result are the types of
   * `delay`, `applyAsync` and `get`; with a schema and `params`, or a schema and `kwargs: true`, the types come from
   * the schema.
   * @throws TypeError for a name that is empty or taken, and for options that do not exist or are of the wrong type or
   *   range
   */
  task<Own extends Handler>(name: string, handler: Own): Task<Parameters<Own>, ResultOf<ReturnType<Own>>>
  task<Input extends object, Output, Returned>(
    name: string,
    options: TaskOptions & { kwargs: true; schema: StandardSchema<Input, Output>; bind: true },
    handler: (self: TaskContext<Shared>, kwargs: Output) => Returned,
  ): KwargsTask<Input, ResultOf<Returned>>
  task<Input extends object, Output, Returned>(
    name: string,
    options: TaskOptions & { kwargs: true; schema: StandardSchema<Input, Output>; bind?: false },
    handler: (kwargs: Output) => Returned,
  ): KwargsTask<Input, ResultOf<Returned>>
  task<Given extends object, Returned>(
    name: string,
    options: TaskOptions & { kwargs: true; schema?: never; bind: true },
    handler: (self: TaskContext<Shared>, kwargs: Given) => Returned,
  ): KwargsTask<Given, ResultOf<Returned>>
  task<Given extends object, Returned>(
    name: string,
    options: TaskOptions & { kwargs: true; schema?: never; bind?: false },
    handler: (kwargs: Given) => Returned,
  ): KwargsTask<Given, ResultOf<Returned>>
  task<const Names extends readonly string[], Input, Output, Returned>(
    name: string,
    options: SchemaOptions<Names, Input, Output> & { kwargs?: false; bind: true },
    handler: (self: TaskContext<Shared>, ...args: ArgsOf<Names, Output>) => Returned,
  ): Task<GivenOf<Names, ArgsOf<Names, Input>>, ResultOf<Returned>>
  task<const Names extends readonly string[], Input, Output, Returned>(
    name: string,
    options: SchemaOptions<Names, Input, Output> & { kwargs?: false; bind?: false },
    handler: (...args: ArgsOf<Names, Output>) => Returned,
  ): Task<GivenOf<Names, ArgsOf<Names, Input>>, ResultOf<Returned>>
  task<Own extends BoundHandler<Shared>, const Names extends readonly string[] = readonly string[]>(
    name: string,
    options: TaskOptions & { kwargs?: false; bind: true; params?: Names },
    handler: Own,
  ): Task<GivenOf<Names, CallOf<Own>>, ResultOf<ReturnType<Own>>>
  task<Own extends Handler, const Names extends readonly string[] = readonly string[]>(
    name: string,
    options: TaskOptions & { kwargs?: false; bind?: false; params?: Names },
    handler: Own,
  ): Task<GivenOf<Names, Parameters<Own>>, ResultOf<ReturnType<Own>>>
  task(name: string, options: TaskOptions, handler: Handler): Task
  task(name: string, optionsOrHandler: TaskOptions | Handler, handler?: Handler): unknown {
    // The worker that runs the task follows the message, as Celery does.
    const asTask = (options: SendOptions): SendOptions => {
      checkSendOptions(name, options)
      checkLimits(name, task.options, options)
      const { ignoreResult = this.inEffect.task_ignore_result === true } = task.options
      return overTask({ ...task.options, ignoreResult }, options)
    }
    const send: SendTask = async (args, kwargs, options) =>
      this.sendTask(name, args, kwargs, plainObject(options) === null ? asTask(options) : options)
    if (typeof optionsOrHandler === 'function' && handler !== undefined) {
      throw new TypeError(`task ${name}: the options come before the handler, as in app.task(name, options, handler)`)
    }
    const task =
      typeof optionsOrHandler === 'function'
        ? new Task(name, {}, optionsOrHandler, send, this.home)
        : new Task(name, optionsOrHandler, handler as Handler, send, this.home)
    owners.set(task, this)
    return this.tasks.add(task)
  }

  /**
   * A task that is defined elsewhere, in Python for instance, with the types that it is called with here:
   * `app.declare<(x: number, y: number) => number>('tasks.add')`.
   * @typeParam Signature the function's type
   * @throws TypeError for a name that is empty
   */
  declare<Signature extends (...args: never[]) => unknown>(
    name: string,
  ): DeclaredTask<Parameters<Signature>, ResultOf<ReturnType<Signature>>> {
    if (typeof name !== 'string' || name === '')
      throw new TypeError('declare needs the name of a task, such as "tasks.add"')
    return new DeclaredTask(name, (args, kwargs, options) => this.sendTask(name, args, kwargs, options), this.home)
  }

  /**
   * Guards calls to a service that tasks depend on with a circuit breaker. It opens when more than half of the calls of
   * the last 10 s fail, and at least 5 were made: then calls are refused at once, the worker opens no more slots, and
   * tasks with `pauseWhileOpen` wait without a slot. Every 10 s one call is let through as a trial; the first that
   * succeeds closes the breaker. Celery has nothing like it.
   * @param name shown in `inspect stats`, metrics and on the page
   * @param fn the call; it needs a time limit of its own, since a call that never ends does not count as a failure
   * @param options milliseconds and counts
   * @returns a function with the same arguments and result that throws BreakerOpen while the breaker is open
   * @throws TypeError for a name that is empty or taken, a wrong option, or a call that is not a function
   */
  breaker<Args extends unknown[], Result>(
    name: string,
    fn: (...args: Args) => Promise<Result> | Result,
    options: BreakerOptions = {},
  ): (...args: Args) => Promise<Result> {
    if (typeof fn !== 'function') throw new TypeError(`breaker ${name}: the call must be a function`)
    checkOptions(`breaker ${name}`, options, BREAKER_OPTIONS)
    const guard = createBreaker(name, async (...args: Args) => fn(...args), { ...BREAKER_DEFAULTS, ...given(options) })
    this.breakers.add(guard)
    return (...args) => guard.run(...args)
  }

  /**
   * Calls a function at a certain point in the life of each task or of the worker:
   * `app.on('taskPrerun', async ({ task, id }) => ...)`. Mirrors Celery's signals. Hooks with the same name are called
   * one after another, in the order in which they were added. If a hook throws, the error is logged; if it takes longer
   * than `worker_hook_timeout` (10 s), it is no longer waited for. The task or the worker continues in both cases.
   * @returns a function that removes the hook
   * @throws TypeError for an unknown hook name, with a suggestion, and for a hook that is not a function
   */
  on<Name extends HookName>(name: Name, hook: Hook<Name>): () => void {
    return this.hooks.add(name, hook)
  }

  /**
   * Wraps the handlers of all tasks in a function, for error reports, `AsyncLocalStorage` or timing:
   * `app.use(async (request, next) => ...)`. It runs where the handler runs, within the task's time limits; the first
   * that was added is the outermost.
   * @throws TypeError for a middleware that is not a function
   */
  use(middleware: Middleware): this {
    this.middleware.add(middleware)
    return this
  }

  /** The settings that apply to what the app sends now. */
  protected abstract readonly inEffect: Readonly<Record<string, unknown>>

  /** What signatures and workflows know of the app. */
  protected abstract readonly home: SignatureHome

  /**
   * Defines a remote control command that changes something, for `celery control NAME ...`, `celeriac control NAME ...`
   * and `app.control.broadcast`; running workers know it from then on. Mirrors Celery's `@control_command`. It runs in
   * the worker's own process, beside its tasks: long work belongs in a task. Arguments that are missing, unknown or of
   * the wrong type are refused with Python's texts.
   * @throws TypeError for a name that another command has, Celery's own included, and for options that do not exist or
   *   are wrong
   */
  controlCommand<const Args extends CommandArguments = Record<never, never>>(
    name: string,
    options: CommandOptions<Args>,
  ): this {
    this.commands.add('control', name, options)
    return this
  }

  /**
   * Defines a remote control command that only reads, for `celery inspect NAME ...`; see `controlCommand`. Mirrors Celery's `@inspect_command`.
   * @throws TypeError for a name that another command has, Celery's own included, and for options that do not exist or are wrong
   */
  inspectCommand<const Args extends CommandArguments = Record<never, never>>(
    name: string,
    options: CommandOptions<Args>,
  ): this {
    this.commands.add('inspect', name, options)
    return this
  }

  /**
   * Sends a message by a task's name.
   * @throws what the app's own `sendTask` throws
   */
  abstract sendTask(
    name: string,
    args?: readonly unknown[],
    kwargs?: Kwargs,
    options?: SendOptions,
  ): Promise<AsyncResult>
}
