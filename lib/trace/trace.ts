import { bindArguments } from '../app/arguments.js'
import { TaskContext } from '../app/context.js'
import { currentRun } from '../app/current.js'
import { isIgnore, isReject, isRetry } from '../app/predicate.js'
import type { Handler } from '../app/task.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import type { Outcome } from './outcome.js'

export interface TraceOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Node name. */
  readonly hostname: string
}

/** Runs a request's task. Never throws: whatever happens is an outcome. Mirrors Celery's `trace_task`. */
export async function trace(request: Request, options: TraceOptions): Promise<Outcome> {
  const { clock } = options
  if (request.isExpired(clock.now())) return { state: 'REVOKED', reason: 'expired' }
  const startedAt = clock.monotonic()
  request.startedAt = startedAt
  try {
    const { task, message } = request
    const args = bindArguments(task, request.args, request.kwargs)
    const handler = task.handler as (...args: unknown[]) => unknown
    const run: Handler = task.options.bind
      ? () => handler(contextOf(request, options), ...args)
      : () => handler(...args)
    const result = await currentRun.run({ id: message.id, rootId: message.rootId }, run)
    return { state: 'SUCCESS', result, runtimeMs: clock.monotonic() - startedAt }
  } catch (thrown) {
    return fromThrown(thrown, request, clock.monotonic() - startedAt)
  }
}

function fromThrown(thrown: unknown, request: Request, runtimeMs: number): Outcome {
  if (isRetry(thrown)) return { state: 'RETRY', retry: thrown, runtimeMs }
  if (isIgnore(thrown)) return { state: 'IGNORED', runtimeMs }
  if (isReject(thrown)) return { state: 'REJECTED', reject: thrown, runtimeMs }
  const error = coerceError(thrown)
  return request.aborted ? { state: 'ABORTED', error, runtimeMs } : { state: 'FAILURE', error, runtimeMs }
}

function contextOf(request: Request, { hostname, log }: TraceOptions): TaskContext {
  const { message, delivery } = request
  return new TaskContext(
    {
      id: message.id,
      task: message.task,
      args: request.args,
      kwargs: request.kwargs,
      retries: request.retries,
      rootId: message.rootId,
      parentId: message.parentId,
      group: message.group,
      correlationId: message.properties.correlationId ?? null,
      replyTo: message.properties.replyTo ?? null,
      hostname,
      headers: message.headers,
      deliveryInfo: {
        exchange: delivery.exchange,
        routingKey: delivery.routingKey,
        priority: message.properties.priority ?? 0,
        redelivered: delivery.redelivered,
      },
    },
    request.signal,
    log,
    request.task,
  )
}
