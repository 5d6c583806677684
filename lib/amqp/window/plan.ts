import { MOST_PREFETCH } from '../../settings/slots.js'
import { blockSize } from './block.js'

/** If at least this many consumers are missing, one large one is opened in their place. */
const MANY = 8

/** One basic.consume on a queue's channel. */
export interface Subscription {
  readonly tag: string
  /** The consumer's prefetch: the most messages that it may hold unsettled; 0 for no limit. */
  readonly size: number
  unsettled: number
  state: 'opening' | 'open' | 'cancelling'
}

/** The target size of a queue's window. */
export interface Target {
  /** The most messages that may be unsettled; null when all consumers are to be cancelled, whether idle or busy. */
  readonly messages: number | null
  /** Whether all missing capacity is opened as one large consumer. */
  readonly byOne: boolean
}

/** The window of a queue: its present state and its target. */
export interface QueueWindow {
  /** Messages that a slot may hold unsettled, and a consumer of a small window (basic.qos); 0 means no limit, and one consumer. */
  readonly prefetch: number
  /** Prefetch of the single consumer of a queue whose order breaks when consumers come and go; null for a window that changes. */
  readonly fixed: number | null
  readonly target: Target
  readonly subscriptions: Iterable<Subscription>
  /** Messages that the consumers may hold; consumers that are being cancelled count for nothing. */
  readonly size: number
}

/** The next step. An exchange is a cancellation, too: the step after it opens what is then missing. */
export type Step = { readonly open: number } | { readonly cancel: Subscription } | { readonly exchange: Subscription }

/*
 * The rules of a window: what there is, and what is done. The first that fits holds.
 *
 * | to bring a queue nearer to its target (`stepOf`)                      |                                                              |
 * |-----------------------------------------------------------------------|--------------------------------------------------------------|
 * | 1 messages are missing, and its consumer has to stay the same         | open one of that size                                        |
 * | 2 messages are missing, and it grows by one                           | open one for all of them, as far as AMQP has a number        |
 * | 3 messages are missing                                                | open one of the usual size, or of as many as are missing     |
 * | 4 all consumers are to go                                             | cancel one that is open, idle or busy                        |
 * | 5 there are too many, and one that is idle fits into the surplus      | cancel it                                                    |
 * | 6 there are too many, and one that is idle is larger than the surplus | exchange it                                                  |
 * | 7 as many as wanted, or too many and all of them busy                 | wait                                                         |
 *
 * | over all queues (`planned`)                                           |                                                              |
 * |-----------------------------------------------------------------------|--------------------------------------------------------------|
 * | 8 a queue has a step by 1 to 6                                        | do that of the first such queue, and nothing beside it       |
 * | 9 there is time, and a consumer is larger than usual, idle or busy    | exchange it: one, then no more until there is time again     |
 *
 * | before a message is settled, which lets its consumer take another     |                                                              |
 * | (`beforeSettling`)                                                    |                                                              |
 * |-----------------------------------------------------------------------|--------------------------------------------------------------|
 * | 10 the consumer fits into the surplus                                 | cancel it first                                              |
 * | 11 no open one fits; half of this one does, or it is larger than usual| cancel it first; what is missing then is opened              |
 * | 12 there is a surplus, and this was its last message                  | settle, and look again: 5 or 6 fit now                       |
 * | 13 else                                                               | settle                                                       |
 *
 * A target grows by one (`targetOf`) if nobody else consumes, there is a consumer, and at least as much is missing as there is, and no less
 * than MANY consumers; until nothing is missing.
 */

/** The target for the number of messages in a window. @param alone whether no other worker consumes the queue */
export function targetOf(window: QueueWindow, messages: number | null, alone: boolean): Target {
  const { fixed, prefetch, size } = window
  const wanted = bounded(messages, prefetch, fixed)
  const missing = (wanted ?? 0) - size
  const isMuch = alone && size > 0 && missing >= Math.max(size, MANY * prefetch)
  return { messages: wanted, byOne: missing > 0 && (isMuch || window.target.byOne) }
}

/** The next step of the first queue that has one; null when there is nothing to do, or nothing yet. @param split by rule 9 */
export function planned<Q extends { readonly window: QueueWindow | null }>(
  queues: ReadonlyMap<string, Q>,
  split: boolean,
): readonly [Q, Step] | null {
  for (const queue of queues.values()) {
    const step = queue.window && stepOf(queue.window)
    if (step) return [queue, step]
  }
  if (!split) return null
  for (const queue of queues.values()) {
    const exchange = queue.window && oversized(queue.window)
    if (exchange) return [queue, { exchange }]
  }
  return null
}

/** The next step towards the target of a queue; null when there is nothing to do, or nothing yet. */
function stepOf(window: QueueWindow): Step | null {
  const surplus = surplusOf(window)
  if (surplus < 0) return { open: sizeFor(window, -surplus) }
  // Looked through only when there is one to find: this is asked each time a message is parked, of up to thousands.
  return surplus > 0 ? shrink(window, surplus) : null
}

/**
 * What to do before a message of an open consumer is settled: cancel the consumer, look for a step afterwards, or
 * nothing.
 * @param subscription which no longer counts the message
 */
export function beforeSettling(window: QueueWindow, subscription: Subscription): 'cancel' | 'look' | null {
  const surplus = surplusOf(window)
  if (surplus <= 0) return null
  if (surplus >= weight(subscription)) return 'cancel'
  // What is too large goes as well, if that is nearer to what is wanted and none that fits is left.
  const isNearer = 2 * surplus >= weight(subscription) || isOversized(window, subscription)
  if (isNearer && !hasWithin(window, surplus)) return 'cancel'
  return subscription.unsettled === 0 ? 'look' : null
}

/** The weight of a consumer in the window: for one without a limit, one message stands for all. */
export function weight({ size }: Subscription): number {
  return Math.max(1, size)
}

function bounded(messages: number | null, prefetch: number, fixed: number | null): number | null {
  if (messages === null) return null
  if (prefetch === 0) return Math.min(messages, 1)
  return messages > 0 && fixed !== null ? Math.min(fixed, MOST_PREFETCH) : messages
}

/** Messages that the consumers may hold beyond the target; negative if some are missing. */
function surplusOf({ size, target }: QueueWindow): number {
  return size - (target.messages ?? 0)
}

function sizeFor({ fixed, prefetch, target }: QueueWindow, missing: number): number {
  if (prefetch === 0) return 0
  const usual = target.byOne ? missing : Math.min(missing, blockSize(target.messages ?? 0, prefetch))
  return Math.min(fixed ?? usual, MOST_PREFETCH)
}

function shrink({ subscriptions, target }: QueueWindow, surplus: number): Step | null {
  let larger: Subscription | null = null
  for (const subscription of subscriptions) {
    if (subscription.state !== 'open') continue
    if (target.messages === null) return { cancel: subscription }
    if (subscription.unsettled > 0) continue
    if (weight(subscription) <= surplus) return { cancel: subscription }
    larger ??= subscription
  }
  return larger && { exchange: larger }
}

function oversized(window: QueueWindow): Subscription | null {
  for (const subscription of window.subscriptions)
    if (subscription.state === 'open' && isOversized(window, subscription)) return subscription
  return null
}

function isOversized({ fixed, prefetch, target }: QueueWindow, { size }: Subscription): boolean {
  if (size <= prefetch || fixed !== null) return false
  return size > blockSize(target.messages ?? 0, prefetch)
}

function hasWithin({ subscriptions }: QueueWindow, surplus: number): boolean {
  for (const subscription of subscriptions)
    if (subscription.state === 'open' && weight(subscription) <= surplus) return true
  return false
}
