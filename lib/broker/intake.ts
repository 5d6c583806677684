import { BrokerError } from '../errors.js'
import type { Clock, Delivery, Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Session } from './session.js'

/** The two steps in which a queue is given up that has one consumer at a time. */
export interface HandOver {
  /** What is given back from now on stays with us, and nobody else gets anything of the queue. */
  begin(queue: string): void
  /** All that isn't acknowledged goes back at once, in its order, and somebody else may get it. */
  end(queue: string): Promise<void>
}

/** How deep a queue is. */
export interface QueueDepth {
  /** Messages ready in the queue, delivered to nobody yet. */
  readonly ready: number
  /** Consumers of the whole fleet. */
  readonly consumers: number
}

/** The broker doesn't let us consume from a queue; the other queues are none the worse for it. */
export class QueueRefused extends BrokerError {
  /** @param isCostly each try ends the connection, so that it shouldn't be made again without need */
  constructor(
    message: string,
    /** Whether each try ends the connection. */
    readonly isCostly: boolean,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? {} : { cause })
  }
}

/** What an intake is made from. */
export interface IntakeOptions {
  /** Node name of the worker. */
  readonly nodename: string
  /** Messages a slot may have reserved; 0 for no limit. */
  readonly prefetch: number
  /** The most slots there may ever be. */
  readonly maxSlots: number
  /** Whether a task or a setting says from the start that there is an order of keys to keep. */
  readonly ordered: boolean
  /** Whether an order of keys has been kept since. */
  hasOrder(): boolean
  /** What runs at present: what is acknowledged late would be repeated if the connection were renewed. */
  readonly running: Iterable<{
    /** Whether it is acknowledged after its run. */
    readonly acksLate: boolean
    /** Its message. */
    readonly delivery: Pick<Delivery, 'live'>
  }>
  /** Names of queues that are emptied once, before anything is first taken from them. */
  readonly purged: Iterable<string>
  /** The time. */
  readonly clock: Clock
  /** Where it tells of queues. */
  readonly log: Logger
  /** Called with each message, in the order in which those of a queue arrive. */
  onDelivery(delivery: Delivery): void
  /** The broker has back what was held of one queue, though the session goes on: none of those deliveries is live any more. */
  onLost(queue: string, error: Error): void
  /**
   * A queue can't be consumed at present.
   * @param wasConsumed whether it could be before
   */
  onRefused(queue: string, refusal: QueueRefused, wasConsumed: boolean): void
}

/** How messages come in. It outlives the connections, each of which has a window of its own. */
export interface Intake {
  /** Whether nothing is taken yet because the broker still holds what it gave to the last connection. */
  readonly heldUp: boolean
  /**
   * Declares the queues and opens the window, with nothing in it: `resize` lets messages in. Not before the messages of the last
   * connection are back in their places, so that none of an order key is overtaken.
   * @param queues those that are to be consumed, whenever it is asked
   * @throws BrokerError when the session ends; queues that are refused are only told of
   */
  open(session: Session, queues: () => readonly QueueSpec[]): Promise<IntakeWindow>
  /** The connection is lost, and its window with it. */
  lost(): void
}

/**
 * What may be taken from each queue on one connection, and not settled yet. The messages of a queue come in its order; what is given back,
 * and what is unsettled when the connection ends, returns to its place.
 */
export interface IntakeWindow {
  /** Consumers that are open for a queue: about one for each slot, as the share of other workers is judged by theirs. */
  count(queue: string): number
  /**
   * Says how many messages may be unsettled for each queue. A queue that isn't named is taken from no more.
   * @param alone whether nobody else consumes them: then it may grow in the quickest way, by which others would misjudge it
   */
  resize(capacity: ReadonlyMap<string, number>, alone?: boolean): void
  /** There is time to exchange what has grown in the quickest way for what others judge rightly. */
  splitLarge(): void
  /** Resolves once the broker has agreed to what was last said. */
  settled(): Promise<void>
  /** The depth of those of the queues that could be asked; one that is gone is left out. Empty once the session has ended. */
  depths(queues: Iterable<string>): Promise<ReadonlyMap<string, QueueDepth>>
  /** Declares one more queue and asks for leave to consume it. @throws QueueRefused; BrokerError */
  add(queue: QueueSpec): Promise<void>
  /** Gives up a queue that the broker gives to one consumer at a time; absent where it can't. */
  readonly handOver?: HandOver
  /** Takes nothing more. What was delivered can still be settled. */
  close(): Promise<void>
}
