import type { IncomingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Listener } from './listener.js'

/** Where a message is to be moved. */
export interface Destination {
  /** The name of a queue. */
  readonly queue: string
  /** Messages of one key arrive in the order in which they were taken, whatever happens; null for a message whose order is nobody's concern. */
  readonly key: string | null
}

/** What moves messages from a queue to others. */
export interface MoveOptions {
  /** The queue that they are taken from. It is declared. */
  readonly from: QueueSpec
  /** The most messages that are taken and not yet moved. After a crash they may be moved a second time. */
  readonly inFlight: number
  /** Called with the first message, when nobody else can get any: nothing is moved before it resolves. What it throws ends the move. */
  begin(): Promise<void>
  /** Says where a message goes. Must not throw. */
  destinationOf(message: IncomingMessage): Destination
  /** A message can't be read, so that it can't be sent on: it is rejected. */
  onUnreadable(error: Error): void
  /** Messages were moved for good. */
  onMoved(count: number): void
}

/** Messages being moved. */
export interface Move {
  /** Resolves when nothing is moved any more, with the reason; null after `stop`. What wasn't moved is back in its queue, in its place. */
  readonly ended: Promise<Error | null>
  /** Moves nothing more until `resume`, and resolves once nothing is under way. The queue stays ours. */
  pause(): Promise<void>
  /** Goes on after `pause`. */
  resume(): void
  /** Deletes a queue and declares it in another way, as long as the queue that is moved from is ours. @throws the broker's error */
  replace(queue: QueueSpec): Promise<void>
  /** Takes no more, waits a moment for what is under way, and gives the rest back. */
  stop(): Promise<void>
}

/** What a session offers to workers that share one order of keys. Only brokers that give a queue to one consumer at a time have it. */
export interface FleetSession {
  /**
   * Hears what the members of a group say to all of them. The queue lives exactly as long as the connection does in the eyes of the broker, so
   * that a message to it tells whether its owner is still there.
   * @param exchange of the group
   * @param queue of the listener's own
   */
  hearGroup(exchange: string, queue: string, listener: Listener): Promise<void>
  /** Declares a queue unless it exists. @returns the arguments that it has; null where the broker doesn't tell @throws the broker's error */
  argumentsOf(queue: QueueSpec): Promise<Readonly<Record<string, unknown>> | null>
  /**
   * Counts one up in a queue that is there for that alone: it holds a message for each time. It is declared.
   * @returns how many there were before @throws the broker's error
   */
  countUp(queue: QueueSpec): Promise<number>
  /** Deletes a queue, with what is in it. One that isn't there is no fault. @throws the broker's error */
  remove(queue: string): Promise<void>
  /**
   * Moves messages of a queue to others, in order, each confirmed before it is taken off its queue. Nobody else gets any of them meanwhile.
   * @throws QueueRefused while somebody else consumes the queue, or if it can't be had by one consumer alone
   */
  move(options: MoveOptions): Promise<Move>
}
