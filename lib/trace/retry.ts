import type { RetryOptions } from '../app/predicate.js'
import type { AmqpTable, OutgoingMessage } from '../protocol/amqp.js'
import { canCompress, compress } from '../protocol/content/compression.js'
import { dumps } from '../protocol/content/content.js'
import { isProtocol2 } from '../protocol/decode.js'
import { headersToResend, returnRoute } from '../protocol/delay.js'
import { expirationOf, sentTime } from '../protocol/encode.js'
import type { Kwargs } from '../protocol/message.js'
import { repr, reprArgs } from '../protocol/repr.js'
import type { Request } from '../request/request.js'
import { customHeaders } from './customHeaders.js'

/**
 * Returns the milliseconds from `now` until the next try: by its `eta`, else its `countdown`, else the task's default.
 */
export function retryDelayMs(options: RetryOptions, request: Request, now: number): number {
  if (options.eta) return Math.max(0, options.eta.getTime() - now)
  return Math.max(0, (options.countdown ?? request.task.defaultRetryDelay) * 1000)
}

/** Returns whether a retry asks for what only a new message can have. */
export function needsMessage({ expires, headers, priority, queue }: RetryOptions): boolean {
  return [expires, headers, priority, queue].some((option) => option !== undefined)
}

/**
 * Makes the message of the next try, as Celery's `Task.retry` publishes it: same id, lineage, priority and custom
 * headers, one more in `retries`, due after `delayMs`.
 * @throws TypeError that names the place, if the message's own serializer can't encode new arguments; or for a time
 *   that Python can't read
 */
export function retryMessage(request: Request, options: RetryOptions, delayMs: number, now: number): OutgoingMessage {
  const { message, delivery } = request
  const args = options.args ?? request.args
  const kwargs = options.kwargs ?? request.kwargs
  const changed = args !== message.args || kwargs !== message.kwargs
  const { content, contentType, contentEncoding, compression } = bodyFor(request, args, kwargs, changed)
  const { compression: _, ...kept } = headersToResend(message.headers)
  const asked = expiresAt(options, now)
  const route = options.queue === undefined ? returnRoute(delivery) : { exchange: '', routingKey: options.queue }
  return {
    ...route,
    mandatory: true,
    content,
    properties: {
      contentType,
      contentEncoding,
      deliveryMode: 2,
      priority: options.priority ?? message.properties.priority ?? 0,
      correlationId: message.properties.correlationId ?? message.id,
      replyTo: message.properties.replyTo,
      expiration: expirationOf(asked ?? message.expires, now),
      headers: {
        ...kept,
        ...customHeaders((options.headers ?? {}) as AmqpTable),
        ...(asked === null ? {} : { expires: sentTime(asked) }),
        ...(compression === undefined ? {} : { compression }),
        retries: request.retries + 1,
        eta: sentTime(now + delayMs),
        parent_id: message.parentId ?? message.id,
        ...(changed ? { argsrepr: reprArgs(args), kwargsrepr: repr(kwargs) } : {}),
      },
    },
  }
}

function expiresAt({ expires }: RetryOptions, now: number): number | null {
  if (expires === undefined) return null
  return typeof expires === 'number' ? now + expires * 1000 : expires.getTime()
}

interface Body {
  readonly content: Buffer
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Value of the header; undefined for none. */
  readonly compression: unknown
}

/** Unchanged arguments are sent as the bytes that came in, changed ones in the same serializer. */
function bodyFor({ message, delivery }: Request, args: readonly unknown[], kwargs: Kwargs, changed: boolean): Body {
  const { contentType, contentEncoding } = message.properties
  const { compression } = message.headers
  if (!changed && isProtocol2(message.properties))
    return { content: delivery.content, contentType, contentEncoding, compression }
  const body = dumps([args, kwargs, message.embed], contentType ?? 'json')
  if (!canCompress(compression)) return { ...body, compression: undefined }
  const compressed = compress(compression, body.content)
  return { ...body, content: compressed.content, compression: compressed.type }
}
