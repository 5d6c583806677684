import type { CallFacts, MessageFacts } from '../app/hooks/hookArguments.js'
import type { Hooks } from '../app/hooks/hooks.js'
import type { Retry } from '../app/predicate.js'
import { CeleriacError } from '../errors.js'
import type { IncomingMessage, OutgoingMessage } from '../protocol/amqp.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request, RevokeReason } from '../request/request.js'
import type { TaskEvents } from '../request/taskEvents.js'
import { requestInfo } from './trace.js'

/**
 * Calls the hooks that run in the worker's own process with what happens to tasks, after all other listeners. Nothing
 * waits for the hooks here. Without any hook it costs the check of one field.
 */
export class HookEvents implements TaskEvents {
  constructor(
    private readonly hooks: Hooks,
    /** Node name. */
    private readonly hostname: string,
    private readonly others: TaskEvents,
  ) {}

  received(request: Request, eta?: number): void {
    // Before the event, as in Celery.
    if (this.hooks.any) this.hooks.note('taskReceived', () => this.facts(request))
    this.others.received(request, eta)
  }

  returned(request: Request): void {
    this.others.returned(request)
  }

  started(request: Request): void {
    this.others.started(request)
  }

  succeeded(request: Request, result: unknown, runtimeMs: number): void {
    this.others.succeeded(request, result, runtimeMs)
  }

  failed(request: Request, error: Error): void {
    this.others.failed(request, error)
    if (!this.hooks.any || request.failureTold) return
    this.hooks.note('taskFailure', () => ({ ...this.facts(request), exception: error }))
  }

  retried(request: Request, retry: Retry): void {
    this.others.retried(request, retry)
  }

  revoked(request: Request, reason: RevokeReason, signum: number | null): void {
    this.others.revoked(request, reason, signum)
    if (!this.hooks.any) return
    this.hooks.note('taskRevoked', () => {
      const { id, request: info, task } = this.facts(request)
      return { task, id, request: info, terminated: reason === 'terminated', signum, expired: reason === 'expired' }
    })
  }

  rejected(request: Request, requeue: boolean): void {
    this.others.rejected(request, requeue)
  }

  cancelled(request: Request): void {
    this.others.cancelled(request)
  }

  unregistered(message: TaskMessage): void {
    this.others.unregistered(message)
  }

  refused(message: IncomingMessage, exc: Error | null, task: TaskMessage | null): void {
    if (!this.hooks.any) return
    if (task === null) this.hooks.note('taskRejected', () => ({ message: messageFacts(message), exc }))
    else {
      const unknown = exc ?? new CeleriacError('CELERIAC_NOT_REGISTERED', task.task)
      this.hooks.note('taskUnknown', () => ({
        message: messageFacts(message),
        name: task.task,
        id: task.id,
        exc: unknown,
      }))
    }
  }

  sent(message: OutgoingMessage, queue: string | null): void {
    this.others.sent(message, queue)
  }

  private facts(request: Request): CallFacts {
    const { args, id, kwargs, task } = request
    return { task, id, args, kwargs, request: requestInfo(request, this.hostname) }
  }
}

function messageFacts({ content, exchange, properties, queue, routingKey }: IncomingMessage): MessageFacts {
  return { queue, exchange, routingKey, properties, content }
}
