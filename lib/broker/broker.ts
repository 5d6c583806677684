import type { WatchedBreaker } from '../breaker.js'
import type { Component } from '../component.js'
import type { Clock, Logger, Publisher, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'
import type { EventSink } from './eventSink.js'
import type { Intake, IntakeOptions } from './intake.js'
import type { ReplyInlet } from './replyInlet.js'
import type { ReplySink } from './replySink.js'
import type { Session } from './session.js'

/** Options from which a broker is made. */
export interface BrokerOptions {
  /** All settings, including `broker_url`. */
  readonly settings: Settings
  /** Node name of the worker that uses the broker; none for a client. */
  readonly nodename?: string
  /** The time. */
  readonly clock: Clock
  /**
   * Attempts to connect before giving up, instead of `broker_connection_max_retries`; null for no limit. Calls that
   * wait then fail; later calls connect again.
   */
  readonly maxRetries?: number | null
  /** Limits how long a message waits for the broker once the worker stops. */
  readonly stopLimit?: StopLimit
  /** The logger of a part: `worker`, `consumer`, `producer`, `events`. */
  log(scope: string): Logger
}

/** Makes a broker for a scheme of `broker_url`. Connects to nothing yet. */
export type BrokerFactory = (options: BrokerOptions) => Broker

/** Sends messages. It connects when first used; a message waits while the broker can't be reached or accepts none. */
export interface BrokerPublisher extends Publisher, Component {
  /** The state of publishing, in the form of a breaker: open while messages wait. */
  readonly state: WatchedBreaker
  /** Messages that the broker hasn't confirmed yet. */
  readonly held: number
}

/** Receives the events of the connection that messages are taken from. */
export interface ConnectionListener {
  /** Builds everything that lives on the connection. A failure ends the session, and the next attempt follows. */
  onUp(session: Session): Promise<void>
  /** Drops everything that lived on the connection. */
  onDown(): Promise<void>
  /** No further attempt will be made. */
  gaveUp?(error: Error): void
}

/**
 * A connection that is always either up or being established: sessions, one after another. `start` doesn't wait for the
 * broker.
 */
export interface BrokerConnection extends Component {
  /** Ends the present session, with all messages that were taken through it; the next one follows. */
  renew(reason: string): void
}

/**
 * What a worker or a client needs of a broker. `testBroker` of `celeriac/conformance` defines what an implementation
 * has to do; `lib/README.md` explains how to add one. Queues, exchanges, routing keys and priorities are those of
 * Celery's messages, whatever the broker.
 */
export interface Broker {
  /** Sends messages. */
  readonly publisher: BrokerPublisher
  /** Consumes the replies of tasks, for `rpc://`. */
  readonly results: ReplyInlet
  /**
   * Declares a queue with its exchange and binding, once per connection, so that a message that is published to it
   * afterwards arrives.
   * @param tries how long to wait for the broker, as for `Publisher.publish`
   * @returns undefined if the queue is declared already: called for each message
   * @throws BrokerError, or the broker's own error, when it refuses
   */
  declare(queue: QueueSpec, tries?: PublishTries): Promise<void> | undefined
  /**
   * Publishes a message that reaches the queue when it is due, so that no worker holds it until then. Resolves once the
   * broker has it.
   * @param options.bindTo the declared queue, if no worker may consume it yet; `signal` ends the wait for the broker,
   *   and `tries` as for `Publisher.publish`
   * @returns false if the message can't be postponed: publish it as usual, and a worker will hold it
   * @throws BrokerError as `Publisher.publish`
   */
  postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    options?: { readonly bindTo?: QueueSpec; readonly signal?: AbortSignal; readonly tries?: PublishTries },
  ): Promise<boolean>
  /**
   * The present session of the publishing connection, or its next one. Requests to other workers use it: a broker may
   * stop reading from a connection that publishes, and must not stop reading the acks of the one that consumes.
   */
  publishing(signal?: AbortSignal, tries?: PublishTries): Promise<Session>
  /** The connection that messages are taken from. It connects once it is started. */
  connect(listener: ConnectionListener): BrokerConnection
  /** Takes messages, over all sessions of the connection. */
  intake(options: IntakeOptions): Intake
  /** Sends events, on a connection of its own. */
  eventSink(): EventSink
  /** Sends the replies of remote control. */
  replySink(log: Logger): ReplySink
  /**
   * Runs `use` on a connection of its own, and closes it.
   * @throws BrokerError if the broker can't be reached within `maxRetries`, or the connection is lost meanwhile; what
   *   `use` throws
   */
  session<T>(use: (session: Session) => Promise<T>): Promise<T>
}
