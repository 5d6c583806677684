import { types } from 'node:util'
import { coerceError, textOf } from '../errors.js'
import { RETRY_OPTIONS } from './callOptionTables.js'
import { checkOptions } from './options.js'

/*
 * What a task throws to say how it ended: Celery's TaskPredicate family. They are control flow, not faults, so `trace/` turns
 * them into outcomes. They are told apart by a registered symbol rather than `instanceof`, because the app and the worker may
 * have loaded two copies of this package.
 */
const KIND = Symbol.for('celeriac.predicate')

type Kind = 'retry' | 'ignore' | 'reject'

abstract class Predicate extends Error {
  /** @internal */
  readonly [KIND]: Kind
  constructor(kind: Kind, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this[KIND] = kind
    this.name = new.target.name
  }
}

/** How a task asks for another run. */
export interface RetryOptions {
  /** Seconds until the task runs again; the task's `defaultRetryDelay` (180 s) if not given. */
  countdown?: number
  /** When to run again; wins over `countdown`. */
  eta?: Date
  /** The reason: logged, and thrown when no retry is left. */
  exc?: Error
  /** The most retries of this task; null for no limit. The task's `maxRetries` (3) if not given. */
  maxRetries?: number | null
  /** Other positional arguments for the next run. */
  args?: readonly unknown[]
  /** Other keyword arguments for the next run. */
  kwargs?: Record<string, unknown>
  /**
   * The queue for the next run; by default the one that the message came from. A task with an order key loses its place
   * in the order by this option, and by each of those below.
   */
  queue?: string
  /** The priority of the next run's message, from 0 to 255; by default that of this one. */
  priority?: number
  /** When it is too late for the next run: seconds from now, or a date; by default as for this one. */
  expires?: number | Date
  /** Custom headers for the next run, in addition to those of this one. */
  headers?: Record<string, unknown>
}

/** Thrown by a task that wants to run again. Made by `self.retry()`, which counts the retries. */
export class Retry extends Predicate {
  /** When and how it is to run again. */
  readonly options: RetryOptions

  /** @throws TypeError for a wrong option */
  constructor(options: RetryOptions = {}) {
    checkOptions('retry', options, RETRY_OPTIONS)
    const { exc } = options
    const cause = exc === undefined || exc === null ? undefined : coerceError(exc)
    super('retry', cause?.message ?? 'the task asked to be retried', { cause })
    this.options = cause === exc ? options : { ...options, exc: cause }
  }
}

/** Thrown by a task that is done and has nothing to record. */
export class Ignore extends Predicate {
  constructor(message = 'the task asked to be ignored') {
    super('ignore', message)
  }
}

/** Thrown by a task that another task replaces. Made by `self.replace()`. */
export class Replace extends Ignore {
  constructor(
    /** Sends the replacement; called when the task has thrown this. @internal */
    readonly send: () => Promise<void>,
  ) {
    super('the task was replaced')
  }
}

/**
 * Thrown by a task to refuse its message, with late acknowledgement: the message goes to the dead-letter exchange if
 * its queue has one, or back to the queue.
 */
export class Reject extends Predicate {
  constructor(
    /** The reason, for the log; null for none. */
    readonly reason: unknown = null,
    /** Whether the message goes back to its queue. */
    readonly requeue = false,
  ) {
    super('reject', reason === null ? 'the task rejected its message' : textOf(reason))
  }
}

/** Thrown by `self.retry()` when the retries are used up and no `exc` was given. */
export class MaxRetriesExceededError extends Error {
  /** Python's name of the class. */
  override readonly name = 'MaxRetriesExceededError'
}

function kindOf(thrown: unknown): Kind | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  try {
    const { [KIND]: kind, message, options } = thrown as Partial<Predicate & Retry>
    // Anyone can use the registered symbol: a value that has it but not the right form is an error like any other.
    if (typeof message !== 'string' || (kind === 'retry' && typeof options !== 'object')) return undefined
    return kind
  } catch {
    // A proxy that throws on every access.
    return undefined
  }
}

/** Whether a returned value is one of those that are to be thrown. Results of other kinds are not looked into. */
export const isPredicate = (returned: unknown): boolean =>
  types.isNativeError(returned) && kindOf(returned) !== undefined

export const isRetry = (thrown: unknown): thrown is Retry => kindOf(thrown) === 'retry'
export const isIgnore = (thrown: unknown): thrown is Ignore => kindOf(thrown) === 'ignore'
export const isReject = (thrown: unknown): thrown is Reject => kindOf(thrown) === 'reject'
export const isReplace = (thrown: unknown): thrown is Replace =>
  isIgnore(thrown) && typeof (thrown as Partial<Replace>).send === 'function'
