import type { Retry } from '../app/predicate.js'
import type { Task } from '../app/task.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { ORIGIN } from '../protocol/encode.js'
import { type EventFields, type EventType, exceptionRepr, isoFormat } from '../protocol/event.js'
import type { TaskMessage } from '../protocol/message.js'
import { cutRepr, repr, reprArgs } from '../protocol/repr.js'
import { traceback } from '../protocol/traceback.js'
import type { Request, RevokeReason } from '../request/request.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { EventDispatcher } from './dispatcher.js'

export interface TaskEventsOptions {
  readonly dispatcher: Pick<EventDispatcher, 'enabled' | 'send' | 'sendAs'>
  /** `task_send_sent_event`. */
  readonly sendsSent: boolean
  /** Returns whether the events of a task are wanted: Celery's task option `send_events`. */
  wanted(task: Task): boolean
}

/** Sends Celery's task events, each with the fields that Python's workers send. */
export class DispatchedTaskEvents implements TaskEvents {
  constructor(private readonly options: TaskEventsOptions) {}

  received(request: Request, eta: number | null = request.message.eta): void {
    this.send('task-received', request, () => {
      const { message } = request
      const { args, kwargs } = argumentsOf(request)
      return {
        name: request.name,
        args,
        kwargs,
        root_id: message.rootId,
        parent_id: message.parentId,
        retries: request.retries,
        eta: isoFormat(eta),
        expires: isoFormat(message.expires),
      }
    })
  }

  returned(): void {
    // Monitors know of it.
  }

  started(request: Request): void {
    this.send('task-started', request, () => ({}))
  }

  succeeded(request: Request, result: unknown, runtimeMs: number): void {
    this.send('task-succeeded', request, () => ({ result: repr(result), runtime: runtimeMs / 1000 }))
  }

  failed(request: Request, error: Error): void {
    this.send('task-failed', request, () => ({ exception: exceptionRepr(error), traceback: traceback(error) }))
  }

  retried(request: Request, retry: Retry): void {
    this.send('task-retried', request, () => {
      const { exc } = retry.options
      return { exception: exc ? exceptionRepr(exc) : 'None', traceback: traceback(exc ?? retry) }
    })
  }

  revoked(request: Request, reason: RevokeReason, signum: number | null): void {
    this.send('task-revoked', request, () => {
      const terminated = reason === 'terminated'
      return { terminated, signum: terminated ? signum : null, expired: reason === 'expired' }
    })
  }

  rejected(request: Request, requeue: boolean): void {
    this.send('task-rejected', request, () => ({ requeue }))
  }

  cancelled(request: Request): void {
    this.send('task-cancelled', request, () => ({}))
  }

  unregistered(message: TaskMessage): void {
    const { dispatcher } = this.options
    if (!dispatcher.enabled('task')) return
    dispatcher.send('task-failed', { uuid: message.id, exception: `NotRegistered(${repr(message.task)})` })
  }

  sent({ exchange, properties, routingKey }: OutgoingMessage, queue: string | null): void {
    if (!this.options.sendsSent) return
    const headers = properties.headers ?? {}
    // A retry passes on the headers of its message as they came, and those may be of any type.
    const text = (name: string): string | null => textIn(headers[name])
    // In a retry, the header `origin` names the first sender; the event comes from the present one.
    this.options.dispatcher.sendAs(ORIGIN, 'task-sent', {
      uuid: text('id'),
      root_id: text('root_id'),
      parent_id: text('parent_id'),
      name: text('task'),
      args: reprIn(headers.argsrepr),
      kwargs: reprIn(headers.kwargsrepr),
      retries: headers.retries,
      eta: text('eta'),
      expires: text('expires'),
      queue,
      exchange,
      routing_key: routingKey,
    })
  }

  private send(type: EventType, request: Request, fields: () => EventFields): void {
    const { dispatcher, wanted } = this.options
    if (!dispatcher.enabled('task') || !wanted(request.task)) return
    dispatcher.send(type, { uuid: request.id, ...fields() })
  }
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** As long as the sender should have made it at most: events may be kept in large numbers. */
function reprIn(value: unknown): string | null {
  return typeof value === 'string' ? cutRepr(value) : null
}

/**
 * Returns the arguments as the sender shows them, which may hide secrets; formatted here if the sender doesn't show
 * them, or if a retry changed them.
 */
function argumentsOf({ args, kwargs, message }: Request): { args: string; kwargs: string } {
  const same = args === message.args && kwargs === message.kwargs
  return {
    args: (same ? reprIn(message.argsrepr) : null) ?? reprArgs(args),
    kwargs: (same ? reprIn(message.kwargsrepr) : null) ?? repr(kwargs),
  }
}
