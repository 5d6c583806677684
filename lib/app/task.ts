import { taskSignature } from '../canvas/signature.js'
import type { Kwargs } from '../protocol/message.js'
import type { AsyncResult } from './asyncResult.js'
import type { TaskContext } from './context.js'
import { DeclaredTask, type SendTask } from './declaredTask.js'
import { checkKwargs, limitFaults } from './optionChecks.js'
import { optionFaults } from './options.js'
import { compileOrderBy, type KeyOf } from './orderKey.js'
import { type Params, readParams, type Signature as Source, signatureOf } from './signature.js'
import type { TaskOptions } from './taskOptions.js'
import { TASK_OPTIONS } from './taskOptionTable.js'
import type { LeadOf, TailOf } from './workflow/leads.js'
import { Signature, type SignatureHome } from './workflow/signature.js'

// Handlers are stored without their argument types: those are known where a task is defined, and nowhere else.
/** A function that runs as a task. The value that it returns, or resolves with, is the result. */
export type Handler = (...args: never[]) => unknown
/** A function that runs as a task with `bind: true`: its first argument is the task context, Python's `self`. */
export type BoundHandler<Shared extends object = object> = (self: TaskContext<Shared>, ...args: never[]) => unknown

/** The arguments of a bound handler that the caller passes. */
export type CallOf<Own extends (self: never, ...args: never[]) => unknown> =
  Parameters<Own> extends readonly [unknown, ...infer Rest] ? Rest : []

const cannotSend: SendTask = async () => {
  throw new TypeError('this task belongs to no app that could send it')
}

/** A registered task. */
export class Task<Args extends readonly unknown[] = readonly unknown[], Result = unknown> extends DeclaredTask<
  Args,
  Result
> {
  /** The most retries of one message; null for no limit. */
  readonly maxRetries: number | null
  /** Seconds until a retry without a time of its own runs. */
  readonly defaultRetryDelay: number
  /** Computes the order key, from `orderBy`; null without it. @internal */
  readonly keyOf: KeyOf | null
  /** Names of the arguments, in their order, without question marks, and without the names that gather others. */
  readonly params: readonly string[] | undefined
  /** Everything that `params` declares; null without it. @internal */
  readonly declared: Params | null
  /** How many arguments a message must have. */
  readonly required: number
  private readonly source: Source | null

  /** @throws TypeError that names everything that is wrong with the name, the handler and the options */
  constructor(
    name: string,
    /** The options that it was defined with. */
    readonly options: Readonly<TaskOptions>,
    /** The function that runs. */
    readonly handler: Handler,
    send: SendTask = cannotSend,
    home?: SignatureHome,
  ) {
    super(name, send, home)
    if (typeof name !== 'string' || name === '') throw new TypeError('a task needs a name, such as "tasks.add"')
    const faults = optionFaults(options, TASK_OPTIONS)
    if (typeof handler !== 'function') {
      faults.unshift('the handler must be a function, the last argument of app.task')
    }
    if (faults.length === 0) faults.push(...limitFaults(options))
    if (faults.length > 0) throw new TypeError(`task ${name}: ${faults.join('; ')}`)
    this.maxRetries = options.maxRetries === undefined ? 3 : options.maxRetries
    this.defaultRetryDelay = options.defaultRetryDelay ?? 180
    this.keyOf = options.orderBy === undefined ? null : compileOrderBy(options.orderBy)
    this.declared = options.params ? readParams(options.params) : null
    this.params = this.declared?.names
    this.source = signatureOf(handler)
    this.required = this.countRequired()
    this.checkParams()
  }

  /** Sends a message for this task, with keyword arguments if the handler takes those. Mirrors Celery's `delay`. */
  override async delay(...args: Args): Promise<AsyncResult<Result>> {
    if (!this.options.kwargs) return super.delay(...args)
    return this.send([], this.keywords('delay', args), {}) as Promise<AsyncResult<Result>>
  }

  /** A call that isn't made yet, with keyword arguments if the handler takes those. Mirrors Celery's `s`. */
  override s<const Given extends TailOf<Args>>(...given: Given): Signature<LeadOf<Args, Given>, Result> {
    if (!this.options.kwargs) return super.s(...given)
    return new Signature(taskSignature(this.name, [], this.keywords('s', given)), this.home)
  }

  /** A call that isn't made yet, which ignores the result of a preceding step. Mirrors Celery's `si`. */
  override si(...args: Args): Signature<readonly unknown[], Result> {
    if (!this.options.kwargs) return super.si(...args)
    return new Signature(taskSignature(this.name, [], this.keywords('si', args), {}, true), this.home)
  }

  /** @throws TypeError for more than one object, and for a value that is not an object */
  private keywords(call: string, args: readonly unknown[]): Kwargs {
    if (args.length > 1) {
      throw new TypeError(
        `${this.name}.${call}: expected one object with the keyword arguments, and got ${args.length} arguments`,
      )
    }
    const [kwargs = {}] = args
    checkKwargs(this.name, kwargs)
    return { ...kwargs }
  }

  /** The most arguments that the handler takes; null for any number, or if its source doesn't show it. @internal */
  get most(): number | null {
    if (!this.source || this.source.rest) return null
    return Math.max(0, this.source.names.length - this.context)
  }

  /** The handler's own name of an argument; null if its source doesn't show it. */
  nameAt(position: number): string | null {
    return this.source?.names[position + this.context] ?? null
  }

  /**
   * The number of names in `params` without a question mark, if any has one; else the number of arguments before the
   * handler's first default. A wrapper that passes on all its arguments hides those of the handler: then all names of
   * `params` count.
   */
  private countRequired(): number {
    const { declared } = this
    const { kwargs, schema } = this.options
    if (kwargs && (schema || !declared)) return 0
    if (declared && (kwargs || declared.required !== null)) return declared.required ?? declared.names.length
    const own = Math.max(0, this.handler.length - this.context)
    if (!declared) return own
    const { source } = this
    const tellsNothing = source ? source.rest && (declared.rest === null || this.isWrapper(source)) : own === 0
    return !schema && tellsNothing ? declared.names.length : Math.min(own, declared.names.length)
  }

  /**
   * Without this check, a name that the handler has no place for would be looked up in each message, and its value
   * thrown away.
   */
  private checkParams(): void {
    const { declared, source } = this
    if (!declared || !source || this.options.kwargs) return
    const places = source.names.length - this.context
    const wanted = [...declared.names, ...(declared.options === null ? [] : [`**${declared.options}`])]
    if (declared.rest !== null && !source.rest) {
      throw new TypeError(`task ${this.name}: params gathers ...${declared.rest}, and the handler has no ...rest`)
    }
    // A handler with a rest parameter has a place for all, but not in their order if it names some of them.
    if (wanted.length <= places || (source.rest && (declared.rest === null || this.isWrapper(source)))) return
    const surplus = wanted.slice(Math.max(0, places)).join(', ')
    const remedy = declared.rest === null ? ', or take the rest in it (...rest)' : ', before its ...rest'
    throw new TypeError(
      `task ${this.name}: params names ${wanted.length} arguments, and the handler takes ${Math.max(0, places)}: add ${surplus} to the handler${remedy}`,
    )
  }

  /** Whether the handler passes on all its arguments. */
  private isWrapper(source: Source): boolean {
    return source.rest && source.names.length <= this.context
  }

  private get context(): number {
    return this.options.bind ? 1 : 0
  }
}
