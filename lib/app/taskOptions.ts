import type { OrderBy } from './orderKey.js'
import type { RetryOptions } from './predicate.js'
import type { StandardSchema } from './schema.js'

/** Celery's task options, in camelCase; what isn't given falls back to the setting of the same meaning. */
export interface TaskOptions {
  /** The handler's first argument is the task context. */
  bind?: boolean
  /**
   * Names of the handler's arguments, so that keyword arguments find their place. One that may be left out has a question mark
   * behind it, as in `['url', 'depth?']`, or a default in the handler; a call without one of the others is a TypeError.
   *
   * Behind the named ones, `'**options'` gathers keyword arguments of other names into an object, and `'...rest'` further arguments by
   * position, as Python's `**options` and `*rest`: the handler is `(url, depth, options, ...rest) => ...`.
   */
  params?: readonly string[]
  /**
   * The handler takes one object with all arguments by name, as in `({ event, dryRun }) => ...`; `delay` takes the same object, and sends
   * keyword arguments. With `params`, arguments that were sent by position find their names.
   */
  kwargs?: boolean
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
  /** The queue that its messages go to, where the call names none; wins over `task_routes`. */
  queue?: string
  /** The exchange that its messages go to, where the call names neither that nor a queue. */
  exchange?: string
  /** The routing key of its messages. */
  routingKey?: string
  /** From 0 to 255, of its messages. */
  priority?: number
  /** What its messages are written in. */
  serializer?: string
  /** How its messages are compressed. */
  compression?: string
  /** When it is too late to run it: seconds from the call, or a date. */
  expires?: number | Date
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
   * when it tries again, one at a time is let go. A worker doesn't start with a name that no breaker has: breakers may be defined after
   * the tasks that name them, so nobody knows earlier.
   */
  pauseWhileOpen?: string | readonly string[]
  /** What a failure for good does to the messages behind it: let them run, or keep them until an operator unblocks the key. */
  orderOnFailure?: 'release' | 'block'
}

/** A class of errors, whatever its constructor takes. */
export type ErrorClass = abstract new (...args: never[]) => Error
