import type { IncomingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Listener } from './listener.js'

/** The queue that a message is moved to. */
export interface Destination {
  /** The name of a queue. */
  readonly queue: string
  /**
   * The order key. Messages of one key arrive in the order in which they were taken, whatever happens; null for a
   * message without an order.
   */
  readonly key: string | null
}

/** Options for moving messages from a queue to others. */
export interface MoveOptions {
  /** The queue that messages are taken from. The move declares it. */
  readonly from: QueueSpec
  /** The most messages that are taken and not yet moved. After a crash these may be moved a second time. */
  readonly inFlight: number
  /**
   * Called with the first message, once no other consumer can get any: nothing is moved before it resolves. An error
   * ends the move.
   */
  begin(): Promise<void>
  /** Returns where a message goes. Must not throw. */
  destinationOf(message: IncomingMessage): Destination
  /** Called for a message that can't be read and so can't be moved: it is rejected. */
  onUnreadable(error: Error): void
  /** Called when messages were moved and confirmed. */
  onMoved(count: number): void
}

/** A move of messages in progress. */
export interface Move {
  /**
   * Resolves with the reason when nothing is moved any more; null after `stop`. Messages that weren't moved are back in
   * their place in the queue.
   */
  readonly ended: Promise<Error | null>
  /** Moves nothing more until `resume`, and resolves once nothing is under way. The queue stays reserved for us. */
  pause(): Promise<void>
  /** Continues after `pause`. */
  resume(): void
  /**
   * Deletes a queue and declares it with other arguments, as long as we still hold the queue that is moved from.
   * @throws the broker's error
   */
  replace(queue: QueueSpec): Promise<void>
  /** Takes no more, waits briefly for messages under way, and gives the rest back. */
  stop(): Promise<void>
}

/**
 * What a session offers to workers that share one order of keys. Only brokers that can give a queue to one consumer at
 * a time have it.
 */
export interface FleetSession {
  /**
   * Listens to the messages that members of a group send to all. For the broker the queue lives exactly as long as the
   * connection, so a message to it shows whether its owner is still there.
   * @param exchange of the group
   * @param queue of the listener's own
   */
  hearGroup(exchange: string, queue: string, listener: Listener): Promise<void>
  /**
   * Declares a queue unless it exists. @returns its actual arguments; null if the broker doesn't tell them @throws the
   * broker's error
   */
  argumentsOf(queue: QueueSpec): Promise<Readonly<Record<string, unknown>> | null>
  /**
   * Increments a counter that is kept as a queue with one message for each count. The queue is declared.
   * @returns how many there were before @throws the broker's error
   */
  countUp(queue: QueueSpec): Promise<number>
  /** Deletes a queue with its messages. A missing queue is not an error. @throws the broker's error */
  remove(queue: string): Promise<void>
  /**
   * Moves messages of a queue to others, in order, each confirmed before it is removed from its queue. No other
   * consumer gets any of them meanwhile.
   * @throws QueueRefused while another consumer uses the queue, or if the queue can't be limited to one consumer
   */
  move(options: MoveOptions): Promise<Move>
}
