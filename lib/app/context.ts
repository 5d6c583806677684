import type { AmqpProperties, AmqpTable, Logger } from '../ports.js'
import type { Kwargs } from '../protocol/message.js'
import { repr, reprArgs } from '../protocol/repr.js'
import { RETRY_OPTIONS, STATE_OPTIONS } from './callOptionTables.js'
import { checkOptions } from './options.js'
import { MaxRetriesExceededError, Retry, type RetryOptions } from './predicate.js'
import type { Task } from './task.js'

/** Celery's `self.request`. */
export interface RequestInfo {
  readonly id: string
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  readonly retries: number
  readonly rootId: string
  readonly parentId: string | null
  readonly group: string | null
  readonly correlationId: string | null
  readonly replyTo: string | null
  /** Node name of the worker. */
  readonly hostname: string
  /** What the sender added to Celery's own headers. */
  readonly headers: AmqpTable
  /** The message's AMQP properties, such as `contentType` and `expiration`. */
  readonly properties: Omit<AmqpProperties, 'headers'>
  readonly deliveryInfo: {
    readonly exchange: string
    readonly routingKey: string
    readonly priority: number
    readonly redelivered: boolean
  }
}

/** What a task defined with `bind: true` gets as its first argument. */
export class TaskContext {
  constructor(
    readonly request: RequestInfo,
    /** Aborted when the run is to end: a cold stop, or a lost connection while the task holds an order key. */
    readonly signal: AbortSignal,
    readonly log: Logger,
    private readonly task: Task,
    private readonly store: (state: string, meta: unknown) => Promise<void>,
  ) {}

  /**
   * Stores a state of the task's own, such as PROGRESS with how far it is. Mirrors Celery's `update_state`.
   * @throws TypeError for a wrong option; CeleriacError when it can't be stored
   */
  async updateState(options: { state: string; meta?: unknown }): Promise<void> {
    checkOptions('updateState', options, STATE_OPTIONS)
    const { state, meta = null } = options
    await this.store(state, meta)
  }

  /**
   * Asks for another run: `throw self.retry({ countdown: 10 })`. Mirrors Celery's `Task.retry`.
   * @throws TypeError for a wrong option; `exc`, or MaxRetriesExceededError, when the retries are used up
   */
  retry(options: RetryOptions = {}): Retry {
    checkOptions('retry', options, RETRY_OPTIONS)
    const limit = options.maxRetries === undefined ? this.task.maxRetries : options.maxRetries
    if (limit !== null && this.request.retries + 1 > limit) {
      if (options.exc) throw options.exc
      throw new MaxRetriesExceededError(
        `Can't retry ${this.task.name}[${this.request.id}] args:${reprArgs(this.request.args)} kwargs:${repr(this.request.kwargs)}`,
      )
    }
    return new Retry(options)
  }
}
