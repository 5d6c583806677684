import type { TaskContext } from './context.js'
import { compileOrderBy, type KeyOf, type OrderBy } from './orderKey.js'

/** Celery's task options, in camelCase; what isn't given falls back to the setting of the same meaning. */
export interface TaskOptions {
  /** The handler's first argument is the task context. */
  bind?: boolean
  /** Names of the handler's arguments, so that keyword arguments find their place. */
  params?: readonly string[]
  /** Acknowledge after the run instead of before. A task with an order key is always acknowledged late. */
  acksLate?: boolean
  /** 3 unless given; null for no end. */
  maxRetries?: number | null
  /** Seconds; 180 unless given. */
  defaultRetryDelay?: number
  /** Messages with the same key run one after another, in the queue's order. A path (`kwargs.event.build_id`) or a function. */
  orderBy?: OrderBy
  /** What a failure for good does to the messages behind it: let them run, or keep them until an operator unblocks the key. */
  orderOnFailure?: 'release' | 'block'
}

// Handlers are stored without their argument types: those are known where a task is defined, and nowhere else.
export type Handler = (...args: never[]) => unknown
export type BoundHandler = (self: TaskContext, ...args: never[]) => unknown

/** A registered task. */
export class Task {
  readonly maxRetries: number | null
  readonly defaultRetryDelay: number
  /** From `orderBy`; null without one. */
  readonly keyOf: KeyOf | null

  /** @throws TypeError for a name, a handler or an `orderBy` that is none */
  constructor(
    readonly name: string,
    readonly options: Readonly<TaskOptions>,
    readonly handler: Handler,
  ) {
    if (name === '') throw new TypeError('a task needs a name, such as "tasks.add"')
    if (typeof handler !== 'function') throw new TypeError(`task ${name}: the handler must be a function`)
    this.maxRetries = options.maxRetries === undefined ? 3 : options.maxRetries
    this.defaultRetryDelay = options.defaultRetryDelay ?? 180
    this.keyOf = options.orderBy === undefined ? null : compileOrderBy(options.orderBy)
  }

  /** How many arguments a message has to bring: those before the handler's first default. */
  get required(): number {
    return Math.max(0, this.handler.length - (this.options.bind ? 1 : 0))
  }
}
