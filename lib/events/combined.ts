import type { Retry } from '../app/predicate.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request, RevokeReason } from '../request/request.js'
import type { TaskEvents } from '../request/taskEvents.js'

/** Passes events to several listeners, in order. Written out, since each task comes through here several times. */
export class CombinedEvents implements TaskEvents {
  private readonly all: readonly TaskEvents[]

  constructor(...all: readonly TaskEvents[]) {
    this.all = all
  }

  received(request: Request, eta?: number): void {
    for (const each of this.all) each.received(request, eta)
  }

  returned(request: Request): void {
    for (const each of this.all) each.returned(request)
  }

  started(request: Request): void {
    for (const each of this.all) each.started(request)
  }

  succeeded(request: Request, result: unknown, runtimeMs: number): void {
    for (const each of this.all) each.succeeded(request, result, runtimeMs)
  }

  failed(request: Request, error: Error): void {
    for (const each of this.all) each.failed(request, error)
  }

  retried(request: Request, retry: Retry): void {
    for (const each of this.all) each.retried(request, retry)
  }

  revoked(request: Request, reason: RevokeReason, signum: number | null): void {
    for (const each of this.all) each.revoked(request, reason, signum)
  }

  rejected(request: Request, requeue: boolean): void {
    for (const each of this.all) each.rejected(request, requeue)
  }

  cancelled(request: Request): void {
    for (const each of this.all) each.cancelled(request)
  }

  unregistered(message: TaskMessage): void {
    for (const each of this.all) each.unregistered(message)
  }

  sent(message: OutgoingMessage, queue: string | null): void {
    for (const each of this.all) each.sent(message, queue)
  }
}
