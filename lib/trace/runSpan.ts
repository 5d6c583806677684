import { repr } from '../protocol/repr.js'
import type { Request } from '../request/request.js'
import { type SpanAttributes, startSpan, type TraceSpan } from '../tracing.js'
import type { Outcome } from './outcome.js'

/** Headers that become attributes unchanged. */
const COPIED = ['compression', 'eta', 'expires'] as const

/**
 * Runs a request in a span that continues the trace of its message; what the task sends continues this span. Span and
 * attributes are named as in Python's instrumentation of Celery. Call it only if tracing is on.
 * @param hostname node name
 * @param run receives a function to call with the run's outcome
 */
export async function inRunSpan(
  request: Request,
  hostname: string,
  run: (note: (outcome: Outcome) => void) => Promise<void>,
): Promise<void> {
  const span = startSpan(
    `run/${request.task.name}`,
    'consumer',
    attributesOf(request, hostname),
    request.message.headers,
  )
  try {
    await span.within(() => run((outcome) => tellOutcome(span, outcome, request)))
  } finally {
    span.end()
  }
}

function attributesOf({ delivery, message, retries, task }: Request, hostname: string): SpanAttributes {
  const { exchange, redelivered, routingKey } = delivery
  const { headers, properties, timelimit } = message
  const info = { exchange, routing_key: routingKey, priority: properties.priority ?? 0, redelivered }
  const [hard, soft] = timelimit
  return {
    'celery.action': 'run',
    'celery.task_name': task.name,
    'messaging.message.id': message.id,
    'messaging.conversation_id': properties.correlationId,
    'messaging.destination': routingKey,
    'celery.delivery_info': repr(info),
    'celery.reply_to': properties.replyTo,
    // Python overwrites this with the sender of the message, and dashboards may rely on that.
    'celery.hostname': typeof headers.origin === 'string' ? headers.origin : hostname,
    ...(retries > 0 ? { 'celery.retries': retries } : {}),
    ...(hard !== null && soft !== null ? { 'celery.timelimit': [hard, soft] } : {}),
    ...Object.fromEntries(
      COPIED.filter((name) => typeof headers[name] === 'string').map((name) => [
        `celery.${name}`,
        String(headers[name]),
      ]),
    ),
  }
}

function tellOutcome(span: TraceSpan, outcome: Outcome, { task }: Request): void {
  span.set({ 'celery.state': outcome.state })
  if (outcome.state === 'RETRY') {
    const { countdown, eta, exc } = outcome.retry.options
    const when = eta ? `at ${eta.toISOString()}` : `in ${countdown ?? task.defaultRetryDelay}s`
    span.set({ 'celery.retry.reason': `Retry ${when}${exc ? `: ${repr(exc)}` : ''}` })
  }
  // An expected failure is part of the task's business, and no error of the trace.
  if (outcome.state === 'ABORTED' || (outcome.state === 'FAILURE' && outcome.kind !== 'expected'))
    span.fail(outcome.error)
}
