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
/** The topic exchange that messages come out of when they are due. */
export const DELIVERY_EXCHANGE = 'celery_delayed_delivery'

/** An AMQP short string, which a routing key is, has at most so many bytes. */
const LONGEST_KEY = 255
const PREFIX = new RegExp(`^(?:[01]\\.){${DELAY_LEVELS}}`)

/** On a message that a worker has taken in and sent on to wait: whoever gets it next doesn't tell monitors once more. */
const RECEIVED_BEFORE = 'celeriac-received'

/** What brokers note on a message that was dead-lettered or redelivered, and the copies that its sender asked for. */
const LEFT_BEHIND = /^(?:x-(?:first-|last-)?death(?:-.+)?|x-delivery-count|x-acquired-count|CC|BCC|celeriac-received)$/

export interface DelayedRoute {
  readonly exchange: string
  readonly routingKey: string
}

/** The name that a level's exchange and queue share; the queue of level n keeps a message for 2^n seconds. */
export function levelName(level: number): string {
  return `celery_delayed_${level}`
}

/**
 * The long routing key.
 * @param seconds whole, from 1 to `LONGEST_DELAY`
 * @throws RangeError for any other
 */
export function delayedKey(seconds: number, routingKey: string): string {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_DELAY) {
    throw new RangeError(`a delay must be from 1 to ${LONGEST_DELAY} whole seconds, not ${seconds}`)
  }
  return `${[...seconds.toString(2).padStart(DELAY_LEVELS, '0')].join('.')}.${routingKey}`
}

/** Whether the queue's name leaves room for the digits of a delay. */
export function isDelayable(queue: string): boolean {
  return 2 * DELAY_LEVELS + Buffer.byteLength(queue) <= LONGEST_KEY
}

/**
 * Where to publish what is to be in a queue after some time. Rounded down to whole seconds, and cut to the longest delay: early
 * is mended by the ETA timer of the worker that gets the message, late is not.
 * @param seconds may be a fraction
 * @returns null when that is less than a second, or the queue's name is too long: publish it as usual then
 */
export function delayedRoute(queue: string, seconds: number): DelayedRoute | null {
  const whole = Math.min(Math.floor(seconds), LONGEST_DELAY)
  if (!(whole >= 1) || !isDelayable(queue)) return null
  // Celery publishes to the first level, 27, which passes leading zeros on exchange by exchange: for an hour 760 messages a second,
  // against 8,400 that start at the first level with a one, and take the same way from there.
  const firstOne = 31 - Math.clz32(whole)
  return { exchange: levelName(firstOne), routingKey: delayedKey(whole, queue) }
}

/**
 * Where a message came from, to publish it there again: for one that came through the delay queues, which don't say which
 * exchange it was sent to, that is its queue.
 */
export function returnRoute(delivery: Pick<IncomingMessage, 'exchange' | 'routingKey' | 'queue'>): DelayedRoute {
  const { exchange, routingKey, queue } = delivery
  if (exchange === DELIVERY_EXCHANGE || PREFIX.test(routingKey)) return { exchange: '', routingKey: queue }
  return { exchange, routingKey }
}

/**
 * The headers to send a message on with. RabbitMQ takes one that carries its own death record for one that goes in circles, and
 * drops it; and a copy for another queue (`CC`) has been made already.
 */
export function headersToResend(headers: AmqpTable): AmqpTable {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !LEFT_BEHIND.test(name)))
}

/** Whether a worker has taken the message in before, and sent it on to wait in the delay queues. */
export function wasReceived(headers: AmqpTable): boolean {
  return headers[RECEIVED_BEFORE] === true
}

/** The same message, to be in `queue` after `delayMs`; null where `delayedRoute` is. */
export function delayed(message: OutgoingMessage, queue: string, delayMs: number): OutgoingMessage | null {
  const route = delayedRoute(queue, delayMs / 1000)
  return route && { ...message, ...route, mandatory: true }
}

/**
 * A delivered message, to come back to its queue when its ETA is due: content, properties and headers as they came, except for
 * what belonged to the way it came. Its time to live is what is left of `expires`.
 * @param now wall-clock milliseconds
 * How it is delayed is the broker's affair.
 * @returns null when it has no ETA or is due within a second: keep it then
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
