import type { OrderBy } from './orderKey.js'
import type { RetryOptions } from './predicate.js'
import type { StandardSchema } from './schema.js'

/** Celery's task options, in camelCase; an option that isn't given falls back to the setting of the same meaning. */
export interface TaskOptions {
  /** Whether the handler's first argument is the task context. */
  bind?: boolean
  /**
   * Names of the handler's arguments, so that keyword arguments can be matched. An optional argument has a question
   * mark behind it, as in `['url', 'depth?']`, or a default in the handler; a call without one of the others is a
   * TypeError.
   *
   * After the named ones, `'**options'` gathers keyword arguments of other names into an object, and `'...rest'`
   * further positional arguments, as Python's `**options` and `*rest`: the handler is
   * `(url, depth, options, ...rest) => ...`.
   */
  params?: readonly string[]
  /**
   * Whether the handler takes one object with all arguments by name, as in `({ event, dryRun }) => ...`; `delay` takes
   * the same object, and sends keyword arguments. With `params`, arguments that were sent by position get their names.
   */
  kwargs?: boolean
  /** Acknowledge after the run instead of before. A task with an order key is always acknowledged late. */
  acksLate?: boolean
  /** Checks, and may transform, the arguments: an object by the names of `params`, or a list. Any Standard Schema. */
  schema?: StandardSchema
  /** With late acknowledgement: also acknowledge after a failure or a time limit. */
  acksOnFailureOrTimeout?: boolean
  /** With late acknowledgement: give the message back when the process that ran the task died. */
  rejectOnWorkerLost?: boolean
  /** The most retries; 3 unless given, null for no limit. */
  maxRetries?: number | null
  /** Seconds until a retry; 180 unless given. */
  defaultRetryDelay?: number
  /** Error classes after which the task is retried automatically. */
  autoretryFor?: readonly ErrorClass[]
  /** Error classes among those of `autoretryFor` after which the task is not retried. */
  dontAutoretryFor?: readonly ErrorClass[]
  /** Options of an automatic retry. */
  retryKwargs?: Pick<RetryOptions, 'countdown' | 'maxRetries'>
  /** Seconds until the first automatic retry, doubled each time; true for 1. */
  retryBackoff?: boolean | number
  /** The most seconds of the backoff; 600 unless given. */
  retryBackoffMax?: number
  /** Whether the countdown is drawn at random from 0 up to the backoff; true unless given. */
  retryJitter?: boolean
  /** Expected errors: logged at INFO, without a traceback. */
  throws?: readonly ErrorClass[]
  /** The queue of the task's messages if the call names none; takes precedence over `task_routes`. */
  queue?: string
  /** The exchange of the task's messages if the call names neither an exchange nor a queue. */
  exchange?: string
  /** The routing key of the task's messages. */
  routingKey?: string
  /** The priority of the task's messages, from 0 to 255. */
  priority?: number
  /** The serializer of the task's messages. */
  serializer?: string
  /** The compression of the task's messages. */
  compression?: string
  /** When the task is too late to run: seconds from the call, or a date. */
  expires?: number | Date
  /** Whether to store no result. */
  ignoreResult?: boolean
  /** Whether to store failures even with `ignoreResult`. */
  storeErrorsEvenIfIgnored?: boolean
  /** Whether to store the state STARTED. */
  trackStarted?: boolean
  /** Whether to send events of this task to monitors; true unless given. */
  sendEvents?: boolean
  /** How often a worker may start this task: `'10/s'`, `'10/m'`, `'0.5/h'`, or a number a second. */
  rateLimit?: string | number | null
  /** Seconds until a run is given up: the hard time limit. */
  timeLimit?: number | null
  /** Seconds until a run is asked to end, through its `self.signal`: the soft time limit. */
  softTimeLimit?: number | null
  /**
   * Messages with the same key run one after another, in the queue's order. A path (`kwargs.event.build_id`) or a function. Keys may
   * nest (`kwargs.build/kwargs.chroot`, or a function that returns the parts): see `OrderBy`.
   */
  orderBy?: OrderBy
  /**
   * Names of `app.breaker`s: while one of them is open, messages of this task wait in the worker without a slot, in
   * their order; when it tries again, they are let through one at a time. A worker refuses to start if a name has no
   * breaker. This is not checked earlier, because breakers may be defined after the tasks that name them.
   */
  pauseWhileOpen?: string | readonly string[]
  /**
   * The effect of a final failure on the messages behind it: let them run, or hold them until an operator unblocks the
   * key.
   */
  orderOnFailure?: 'release' | 'block'
}

/** A class of errors, whatever its constructor takes. */
export type ErrorClass = abstract new (...args: never[]) => Error
