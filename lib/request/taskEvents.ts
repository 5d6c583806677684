import type { Retry } from '../app/predicate.js'
import type { IncomingMessage, OutgoingMessage } from '../protocol/amqp.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request, RevokeReason } from './request.js'

/** Receives what happens to tasks. Each method is called after the fact, and after the acknowledgement. */
export interface TaskEvents {
  /**
   * The task was taken in, and is neither revoked nor expired.
   * @param eta wall-clock milliseconds; by default the message's own; given for a retry that waits here
   */
  received(request: Request, eta?: number): void
  /** The task is back after it was sent on to wait for its ETA, and has been counted before. */
  returned(request: Request): void
  /** The task has a slot, and its body is about to run. */
  started(request: Request): void
  succeeded(request: Request, result: unknown, runtimeMs: number): void
  failed(request: Request, error: Error): void
  retried(request: Request, retry: Retry): void
  /** The task won't run, or was stopped. @param signum number of the signal that terminated it, if any */
  revoked(request: Request, reason: RevokeReason, signum: number | null): void
  /** The message was rejected or given back. Only for messages that are acknowledged late. */
  rejected(request: Request, requeue: boolean): void
  /** The task was told to stop, and the broker delivers its message again. */
  cancelled(request: Request): void
  /** No task of this name is here. */
  unregistered(message: TaskMessage): void
  /**
   * A message was dropped before it became a request.
   * @param error the reason; null if it isn't a Celery message
   * @param unknown the message if its task isn't registered here; null otherwise
   */
  refused?(message: IncomingMessage, error: Error | null, unknown: TaskMessage | null): void
  /** A task message was sent. @param queue name of the queue; null where only the exchange is known */
  sent(message: OutgoingMessage, queue: string | null): void
}

const nothing = (): void => undefined

/** Ignores all events. */
export const NO_TASK_EVENTS: TaskEvents = {
  received: nothing,
  returned: nothing,
  started: nothing,
  succeeded: nothing,
  failed: nothing,
  retried: nothing,
  revoked: nothing,
  rejected: nothing,
  cancelled: nothing,
  unregistered: nothing,
  sent: nothing,
}
