import type { Kwargs } from '../protocol/message.js'
import type { SendOptions } from './app.js'
import type { AsyncResult } from './asyncResult.js'
import type { ErrorClass } from './autoretry.js'
import type { TaskContext } from './context.js'
import { optionFaults } from './options.js'
import { compileOrderBy, type KeyOf, type OrderBy } from './orderKey.js'
import type { RetryOptions } from './predicate.js'
import type { StandardSchema } from './schema.js'
import { type Signature, signatureOf } from './signature.js'
import { TASK_OPTIONS } from './taskOptionTable.js'

/** Celery's task options, in camelCase; what isn't given falls back to the setting of the same meaning. */
export interface TaskOptions {
  /** The handler's first argument is the task context. */
  bind?: boolean
  /**
   * Names of the handler's arguments, so that keyword arguments find their place. One that may be left out has a question mark
   * behind it, as in `['url', 'depth?']`, or a default in the handler; a call without one of the others is a TypeError.
   */
  params?: readonly string[]
  /** Acknowledge after the run instead of before. A task with an order key is always acknowledged late. */
  acksLate?: boolean
  /** Checks, and may transform, the arguments: an object by the names of `params`, or a list. Any Standard Schema. */
  schema?: StandardSchema
  /** With late acknowledgement: acknowledge also after a failure or a time limit. */
  acksOnFailureOrTimeout?: boolean
  /** With late acknowledgement: give the message back when the process that ran the task died. */
  rejectOnWorkerLost?: boolean
  /** 3 unless given; null for no end. */
  maxRetries?: number | null
  /** Seconds; 180 unless given. */
  defaultRetryDelay?: number
  /** Error classes after which the task is retried by itself. */
  autoretryFor?: readonly ErrorClass[]
  /** Error classes among those of `autoretryFor` after which it is not. */
  dontAutoretryFor?: readonly ErrorClass[]
  /** What such a retry is made with. */
  retryKwargs?: Pick<RetryOptions, 'countdown' | 'maxRetries'>
  /** Seconds of the first such retry's countdown, which doubles each time; true for 1. */
  retryBackoff?: boolean | number
  /** Seconds; 600 unless given. */
  retryBackoffMax?: number
  /** Whether the countdown is drawn from 0 up to the backoff; true unless given. */
  retryJitter?: boolean
  /** Errors that are part of the task's business: logged at INFO, without a traceback. */
  throws?: readonly ErrorClass[]
  /** Store no result. */
  ignoreResult?: boolean
  /** Store failures even so. */
  storeErrorsEvenIfIgnored?: boolean
  /** Store the state STARTED. */
  trackStarted?: boolean
  /** Tell monitors of this task; true unless given. */
  sendEvents?: boolean
  /** How often a worker may start this task: `'10/s'`, `'10/m'`, `'0.5/h'`, or a number a second. */
  rateLimit?: string | number | null
  /** Seconds after which a run is given up. */
  timeLimit?: number | null
  /** Seconds after which a run is told to end, by its `self.signal`. */
  softTimeLimit?: number | null
  /**
   * Messages with the same key run one after another, in the queue's order. A path (`kwargs.event.build_id`) or a function. Keys may
   * nest (`kwargs.build/kwargs.chroot`, or a function that returns the parts): see `OrderBy`.
   */
  orderBy?: OrderBy
  /**
   * Names of `app.breaker`s: while one of them is open, messages of this task wait in the worker without a slot, in their order;
   * when it tries again, one at a time is let go.
   */
  pauseWhileOpen?: string | readonly string[]
  /** What a failure for good does to the messages behind it: let them run, or keep them until an operator unblocks the key. */
  orderOnFailure?: 'release' | 'block'
}

// Handlers are stored without their argument types: those are known where a task is defined, and nowhere else.
/** A function that runs as a task. What it returns, or resolves with, is the result. */
export type Handler = (...args: never[]) => unknown
/** A function that runs as a task with `bind: true`: its first argument is the task context, Python's `self`. */
export type BoundHandler = (self: TaskContext, ...args: never[]) => unknown

/** Marks an argument that may be left out. */
const OPTIONAL = /\?$/

/** Sends a task by its name; what `delay` and `applyAsync` stand for. */
export type SendTask = (args: readonly unknown[], kwargs: Kwargs, options: SendOptions) => Promise<AsyncResult>

const noApp: SendTask = async () => {
  throw new TypeError('this task belongs to no app that could send it')
}

/** A registered task. */
export class Task {
  /** Retries of one message at most; null for no end. */
  readonly maxRetries: number | null
  /** Seconds until a retry that names no time runs. */
  readonly defaultRetryDelay: number
  /** From `orderBy`; null without one. */
  readonly keyOf: KeyOf | null
  /** Names of the arguments, in their order, without the marks of those that may be left out. */
  readonly params: readonly string[] | undefined
  /** How many arguments a message has to bring. */
  readonly required: number
  private readonly signature: Signature | null

  /** @throws TypeError that names everything that is wrong with the name, the handler and the options */
  constructor(
    /** The name that messages call it by. */
    readonly name: string,
    /** The options that it was defined with. */
    readonly options: Readonly<TaskOptions>,
    /** The function that runs. */
    readonly handler: Handler,
    private readonly send: SendTask = noApp,
  ) {
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
    this.params = options.params?.map((param) => param.replace(OPTIONAL, ''))
    this.signature = signatureOf(handler)
    this.required = this.countRequired()
  }

  /** Sends a message for this task. */
  delay(...args: unknown[]): Promise<AsyncResult> {
    return this.send(args, {}, {})
  }

  /** Sends a message for this task, with options. */
  applyAsync(args: readonly unknown[] = [], kwargs: Kwargs = {}, options: SendOptions = {}): Promise<AsyncResult> {
    return this.send(args, kwargs, options)
  }

  /** How many arguments the handler takes at most; null for any number, or where its source doesn't tell. */
  get most(): number | null {
    if (!this.signature || this.signature.rest) return null
    return Math.max(0, this.signature.names.length - this.context)
  }

  /** The handler's own name of an argument; null where its source doesn't tell. */
  nameAt(position: number): string | null {
    return this.signature?.names[position + this.context] ?? null
  }

  /**
   * The names of `params` without a question mark, where one has it; else the arguments before the handler's first default. A function
   * around the handler that hands on whatever it gets hides them: then all names of `params` count.
   */
  private countRequired(): number {
    const { params, schema } = this.options
    if (params?.some((param) => OPTIONAL.test(param))) return params.filter((param) => !OPTIONAL.test(param)).length
    const own = Math.max(0, this.handler.length - this.context)
    const tellsNothing = this.signature ? this.signature.rest : own === 0
    return params && !schema && tellsNothing ? params.length : own
  }

  private get context(): number {
    return this.options.bind ? 1 : 0
  }
}

function limitFaults({ softTimeLimit: soft, timeLimit: hard }: TaskOptions): string[] {
  if (typeof soft !== 'number' || typeof hard !== 'number' || soft <= hard) return []
  return [`softTimeLimit is ${soft}: expected no more than timeLimit, which is ${hard}`]
}
