import type { OutgoingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { FleetSession } from './fleetSession.js'
import type { Listener } from './listener.js'

export type { Listener } from './listener.js'

/** A message to all workers. */
export type Broadcast = Pick<OutgoingMessage, 'content' | 'properties'>

/**
 * One connection's life (an epoch) and its operations besides taking messages. Everything is void once `ended` is
 * aborted; nothing is carried over into the next session.
 */
export interface Session {
  /** Aborted, with the reason, when the connection is lost or given up. */
  readonly ended: AbortSignal
  /** Seconds after which the broker considers a silent connection lost; 0 for never. */
  readonly heartbeat: number
  /** For workers that share one order of keys; absent where the broker can't give a queue to one consumer at a time. */
  readonly fleet?: FleetSession
  /** Ends the session because of an error that only a new connection can repair. Later calls do nothing. */
  end(reason: unknown): void
  /** Declares a queue with its exchange and binding. @throws BrokerError, or the broker's own error, when it refuses */
  declare(queue: QueueSpec): Promise<void>
  /** Deletes the messages that wait in a queue. @returns how many messages there were; 0 for a missing queue */
  purge(queue: string): Promise<number>
  /**
   * Listens to the events of workers and clients from now on; each listener gets all of them.
   * @param routingKey which events: `worker.#`, or `#` for all
   */
  hearEvents(routingKey: string, listener: Listener): Promise<void>
  /**
   * Opens a worker's mailbox for remote control. If a mailbox of that name exists already, this is logged, and both
   * receive all commands.
   */
  hearControl(nodename: string, listener: Listener): Promise<void>
  /** Sends a message to the mailboxes of all workers. */
  broadcast(message: Broadcast): Promise<void>
  /**
   * Sends a message to the mailboxes of all workers. @returns whether there is any @throws if that can't be determined
   */
  isHeard(message: Broadcast): Promise<boolean>
  /**
   * Sends a message to the mailboxes of all workers and listens to their replies to the exchange `reply.celery.pidbox`
   * under `replyKey`, until the promise that `until` returns is settled.
   */
  ask(replyKey: string, message: Broadcast, listener: Listener, until: () => Promise<void>): Promise<void>
}
