import type { Retry } from '../app/predicate.js'
import type { IncomingMessage, OutgoingMessage } from '../protocol/amqp.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request, RevokeReason } from './request.js'

/** What happens to tasks, told to whoever watches. Each call is made once the thing has happened, after the acknowledgement. */
export interface TaskEvents {
  /**
   * It was taken in, and is neither revoked nor expired.
   * @param eta wall-clock milliseconds; the message's own unless given, which a retry that waits here does
   */
  received(request: Request, eta?: number): void
  /** It is here again after it was sent on to wait for its time: whoever counts tasks has counted it. */
  returned(request: Request): void
  /** It has a slot, and its body is about to run. */
  started(request: Request): void
  succeeded(request: Request, result: unknown, runtimeMs: number): void
  failed(request: Request, error: Error): void
  retried(request: Request, retry: Retry): void
  /** It won't run, or was stopped. @param signum that of the signal it was terminated with, if it was */
  revoked(request: Request, reason: RevokeReason, signum: number | null): void
  /** Its message was given up, or given back: only of what is acknowledged late. */
  rejected(request: Request, requeue: boolean): void
  /** It was told to stop and the broker gives its message out again. */
  cancelled(request: Request): void
  /** No task of this name is here. */
  unregistered(message: TaskMessage): void
  /**
   * A message was dropped before it became a request.
   * @param error why; null for a message that isn't Celery's
   * @param unknown the message whose task isn't here; null for any other
   */
  refused?(message: IncomingMessage, error: Error | null, unknown: TaskMessage | null): void
  /** A task message has left. @param queue the queue's name; null where only the exchange is known */
  sent(message: OutgoingMessage, queue: string | null): void
}

const nothing = (): void => undefined

/** Tells nobody. */
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
