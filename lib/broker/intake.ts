import { BrokerError } from '../errors.js'
import type { Clock, Delivery, Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Session } from './session.js'

/** The two steps of handing over a queue that has one consumer at a time. */
export interface HandOver {
  /** From now on, messages that are given back stay with us, and no other consumer gets anything from the queue. */
  begin(queue: string): void
  /** Returns all unacknowledged messages at once, in their order; then another consumer may get them. */
  end(queue: string): Promise<void>
}

/** The depth of a queue. */
export interface QueueDepth {
  /** Messages ready in the queue, delivered to nobody yet. */
  readonly ready: number
  /** The number of consumers, over all workers. */
  readonly consumers: number
}

/** Thrown when the broker doesn't let us consume from a queue; other queues are not affected. */
export class QueueRefused extends BrokerError {
  /**
   * @param isCostly whether each try ends the connection, so that it should not be repeated without need
   * @param mayPass whether it is worth another try by itself, though a late one if it is costly
   */
  constructor(
    message: string,
    /** Whether each try ends the connection. */
    readonly isCostly: boolean,
    cause?: unknown,
    /** Whether the broker may accept the queue later, without a change of what is asked for. */
    readonly mayPass = !isCostly,
  ) {
    super(message, cause === undefined ? {} : { cause })
  }
}

/** Options from which an intake is made. */
export interface IntakeOptions {
  /** Node name of the worker. */
  readonly nodename: string
  /** Messages a slot may have reserved; 0 for no limit. */
  readonly prefetch: number
  /** The most slots there may ever be. */
  readonly maxSlots: number
  /** Whether a task or a setting shows from the start that there is an order of keys to keep. */
  readonly ordered: boolean
  /** Whether an order of keys has appeared since. */
  hasOrder(): boolean
  /** The present runs: those that are acknowledged late would be repeated if the connection were renewed. */
  readonly running: Iterable<{
    /** Whether the message is acknowledged after the run. */
    readonly acksLate: boolean
    /** The message of the run. */
    readonly delivery: Pick<Delivery, 'live'>
  }>
  /** Names of queues to purge once, before anything is first taken from them. */
  readonly purged: Iterable<string>
  /** The time. */
  readonly clock: Clock
  /** The log for messages about queues. */
  readonly log: Logger
  /** Called with each message; the messages of one queue in the order in which they arrive. */
  onDelivery(delivery: Delivery): void
  /**
   * Called when the broker has taken back the messages held from one queue, though the session goes on: none of those
   * deliveries is live any more.
   */
  onLost(queue: string, error: Error): void
  /**
   * Called when a queue can't be consumed at present.
   * @param wasConsumed whether the queue was consumed before
   */
  onRefused(queue: string, refusal: QueueRefused, wasConsumed: boolean): void
}

/** Takes messages in. It outlives the connections, each of which has a window of its own. */
export interface Intake {
  /** Whether nothing is taken yet because the broker still holds the messages of the last connection. */
  readonly heldUp: boolean
  /**
   * Declares the queues and opens the window, empty at first: `resize` lets messages in. Waits until the messages of
   * the last connection are back in their places, so that none of an order key is overtaken.
   * @param queues returns the queues to be consumed, whenever it is called
   * @throws BrokerError when the session ends; queues that are refused are only reported
   */
  open(session: Session, queues: () => readonly QueueSpec[]): Promise<IntakeWindow>
  /** Called when the connection is lost, and its window with it. */
  lost(): void
}

/**
 * The messages that may be taken from each queue on one connection and are not settled yet. The messages of a queue
 * come in its order; those that are given back, or unsettled when the connection ends, return to their place.
 */
export interface IntakeWindow {
  /** Open consumers of a queue: about one for each slot, since other workers' shares are estimated from theirs. */
  count(queue: string): number
  /**
   * Sets how many messages may be unsettled for each queue. Nothing more is taken from a queue that isn't named.
   * @param alone whether no other worker consumes the queues: then the window may grow in the quickest way, which
   *   others would misjudge
   */
  resize(capacity: ReadonlyMap<string, number>, alone?: boolean): void
  /** Allows a window that has grown in the quickest way to be split, so that others judge it rightly again. */
  splitLarge(): void
  /** Resolves once the broker has confirmed the last change. */
  settled(): Promise<void>
  /** The depths of the queues that could be asked; missing queues are left out. Empty once the session has ended. */
  depths(queues: Iterable<string>): Promise<ReadonlyMap<string, QueueDepth>>
  /** Declares one more queue and checks that it may be consumed. @throws QueueRefused; BrokerError */
  add(queue: QueueSpec): Promise<void>
  /** Hands over a queue that the broker gives to one consumer at a time; absent if the broker can't. */
  readonly handOver?: HandOver
  /** Takes nothing more. Delivered messages can still be settled. */
  close(): Promise<void>
}
