import { coerceError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { isTracing, type SpanAttributes, startSpan } from '../tracing.js'

/**
 * Publishes a task message in a span of its own, with the trace in its headers, where Python's instrumentation of
 * Celery looks for it: beside Celery's own. Span and attributes have the same names as there. Without an OpenTelemetry
 * SDK it only publishes.
 * @throws what `send` throws
 */
export function traceSend(message: OutgoingMessage, send: (message: OutgoingMessage) => Promise<void>): Promise<void> {
  return isTracing() ? inSpan(message, send) : send(message)
}

async function inSpan(message: OutgoingMessage, send: (message: OutgoingMessage) => Promise<void>): Promise<void> {
  const { headers = {} } = message.properties
  const span = startSpan(`apply_async/${headers.task}`, 'producer', attributesOf(message))
  try {
    const properties = { ...message.properties, headers: { ...headers, ...span.carrier } }
    await span.within(() => send({ ...message, properties }))
  } catch (thrown) {
    span.fail(coerceError(thrown))
    throw thrown
  } finally {
    span.end()
  }
}

function attributesOf({ exchange, properties, routingKey }: OutgoingMessage): SpanAttributes {
  const { id, task } = properties.headers ?? {}
  return {
    'celery.action': 'apply_async',
    'celery.task_name': String(task),
    'messaging.message.id': String(id),
    'messaging.destination': routingKey,
    ...(exchange === '' ? { 'messaging.destination_kind': 'queue' } : { 'celery.exchange': exchange }),
  }
}
