import type { AmqpTable, IncomingMessage, OutgoingMessage } from './amqp.js'
import { expirationOf } from './encode.js'
import type { TaskMessage } from './message.js'

/*
 * Celery's native delayed delivery:  a queue for each power of two seconds, behind topic exchanges that read the delay off the
 *                                    routing key, one binary digit a level: 1 waits in the level's queue, 0 passes on to the next
 *   exchange     celery_delayed_27, or any lower one that no digit before it would have stopped at
 *   routing key  28 binary digits of the whole seconds, then the key itself: 0.0. ... .1.1.celery is 3 s
 * The message comes out of `celery_delayed_delivery` with the long key still on it.
 */

export const DELAY_LEVELS = 28
/** Seconds, some 8 years. */
export const LONGEST_DELAY = 2 ** DELAY_LEVELS - 1
/** Topic exchange that messages leave through when they are due. */
export const DELIVERY_EXCHANGE = 'celery_delayed_delivery'

/** Longest routing key in bytes: it is an AMQP short string. */
const LONGEST_KEY = 255
const PREFIX = new RegExp(`^(?:[01]\\.){${DELAY_LEVELS}}`)

/**
 * Header of a message that a worker has taken in and sent on to wait: the next worker doesn't report it to monitors
 * again.
 */
const RECEIVED_BEFORE = 'celeriac-received'

/** Headers that brokers add to a dead-lettered or redelivered message, and the copies that its sender asked for. */
const LEFT_BEHIND = /^(?:x-(?:first-|last-)?death(?:-.+)?|x-delivery-count|x-acquired-count|CC|BCC|celeriac-received)$/

export interface DelayedRoute {
  readonly exchange: string
  readonly routingKey: string
}

/** Returns the name of a level's exchange and queue; the queue of level n keeps a message for 2^n seconds. */
export function levelName(level: number): string {
  return `celery_delayed_${level}`
}

/**
 * Returns the long routing key.
 * @param seconds whole seconds, from 1 to `LONGEST_DELAY`
 * @throws RangeError for any other
 */
export function delayedKey(seconds: number, routingKey: string): string {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_DELAY) {
    throw new RangeError(`a delay must be from 1 to ${LONGEST_DELAY} whole seconds, not ${seconds}`)
  }
  return `${[...seconds.toString(2).padStart(DELAY_LEVELS, '0')].join('.')}.${routingKey}`
}

/** Returns whether the queue's name leaves room for the digits of a delay. */
export function isDelayable(queue: string): boolean {
  return 2 * DELAY_LEVELS + Buffer.byteLength(queue) <= LONGEST_KEY
}

/**
 * Returns where to publish a message that is to reach a queue after some time. The time is rounded down to whole
 * seconds, and cut to the longest delay: the ETA timer of the worker that gets the message corrects early arrival, but
 * not late.
 * @param seconds may be a fraction
 * @returns null if that is less than a second, or the queue's name is too long: publish it as usual then
 */
export function delayedRoute(queue: string, seconds: number): DelayedRoute | null {
  const whole = Math.min(Math.floor(seconds), LONGEST_DELAY)
  if (!(whole >= 1) || !isDelayable(queue)) return null
  // Celery publishes to the first level, 27, which passes leading zeros on exchange by exchange: 760 messages a second
  // for an hour's delay, against 8,400 that start at the first level with a one, and take the same path from there.
  const firstOne = 31 - Math.clz32(whole)
  return { exchange: levelName(firstOne), routingKey: delayedKey(whole, queue) }
}

/**
 * Returns the route to publish a message again to where it came from. For one that came through the delay queues, which
 * don't say which exchange it was sent to, that is its queue.
 */
export function returnRoute(delivery: Pick<IncomingMessage, 'exchange' | 'routingKey' | 'queue'>): DelayedRoute {
  const { exchange, routingKey, queue } = delivery
  if (exchange === DELIVERY_EXCHANGE || PREFIX.test(routingKey)) return { exchange: '', routingKey: queue }
  return { exchange, routingKey }
}

/**
 * Returns the headers to send a message on with. RabbitMQ drops a message that carries its own death record, as one
 * that goes in circles; and a copy for another queue (`CC`) has been made already.
 */
export function headersToResend(headers: AmqpTable): AmqpTable {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !LEFT_BEHIND.test(name)))
}

/**
 * Returns the headers to bring the same message to another queue with. Unlike a retry, which is a message of its own and
 * is received again, it was received once for all.
 */
export function headersToMove(headers: AmqpTable): AmqpTable {
  const kept = headersToResend(headers)
  return wasReceived(headers) ? { ...kept, [RECEIVED_BEFORE]: true } : kept
}

/** Returns whether a worker has taken the message in before, and sent it on to wait in the delay queues. */
export function wasReceived(headers: AmqpTable): boolean {
  return headers[RECEIVED_BEFORE] === true
}

/** Returns the message for publishing to `queue` after `delayMs`; null in the same cases as `delayedRoute`. */
export function delayed(message: OutgoingMessage, queue: string, delayMs: number): OutgoingMessage | null {
  const route = delayedRoute(queue, delayMs / 1000)
  return route && { ...message, ...route, mandatory: true }
}

/**
 * Makes a message that brings a delivery back to its queue when its ETA is due: content, properties and headers are
 * unchanged, except for those of its path. Its time to live is the rest of `expires`. The broker decides how it is
 * delayed.
 * @param now wall-clock milliseconds
 * @returns null if it has no ETA or is due within a second: keep it then
 */
export function relay(
  delivery: Pick<IncomingMessage, 'queue' | 'properties' | 'content'>,
  message: Pick<TaskMessage, 'id' | 'eta' | 'expires'>,
  now: number,
): OutgoingMessage | null {
  if (message.eta === null || message.eta - now < 1000) return null
  const { properties, queue } = delivery
  return {
    exchange: '',
    routingKey: queue,
    mandatory: true,
    content: delivery.content,
    // Named one by one: the sender's user_id among them would be refused, since we aren't that user.
    properties: {
      contentType: properties.contentType,
      contentEncoding: properties.contentEncoding,
      deliveryMode: properties.deliveryMode,
      priority: properties.priority,
      correlationId: properties.correlationId ?? message.id,
      replyTo: properties.replyTo,
      expiration: expirationOf(message.expires, now),
      messageId: properties.messageId,
      timestamp: properties.timestamp,
      type: properties.type,
      headers: { ...headersToResend(properties.headers ?? {}), [RECEIVED_BEFORE]: true },
    },
  }
}
