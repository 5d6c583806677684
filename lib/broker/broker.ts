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

/** What a broker is made from. */
export interface BrokerOptions {
  /** All settings, `broker_url` among them. */
  readonly settings: Settings
  /** Node name of the worker that it serves; none for a client. */
  readonly nodename?: string
  /** The time. */
  readonly clock: Clock
  /**
   * Attempts to connect before it gives up, instead of `broker_connection_max_retries`; null for no end. What waits then has failed; a
   * broker without a nodename connects again for what comes later.
   */
  readonly maxRetries?: number | null
  /** Bounds how long a message waits for the broker once the worker stops. */
  readonly stopLimit?: StopLimit
  /** By what speaks: `worker`, `consumer`, `producer`, `events`. */
  log(scope: string): Logger
}

/** Makes a broker for a scheme of `broker_url`. Connects to nothing yet. */
export type BrokerFactory = (options: BrokerOptions) => Broker

/** Sends messages. It connects when first used; a message waits for as long as the broker can't be reached or takes none. */
export interface BrokerPublisher extends Publisher, Component {
  /** How publishing goes, in the form of a breaker: open while messages wait. */
  readonly state: WatchedBreaker
  /** Messages that the broker hasn't confirmed yet. */
  readonly held: number
}

/** Who is told of the connection that messages are taken from. */
export interface ConnectionListener {
  /** Builds all that lives on the connection. A failure ends the session, and the next attempt follows. */
  onUp(session: Session): Promise<void>
  /** Drops all that lived on the connection. */
  onDown(): Promise<void>
  /** No further attempt will be made. */
  gaveUp?(error: Error): void
}

/** A connection that is always either up or on its way: sessions, one after another. `start` doesn't wait for the broker. */
export interface BrokerConnection extends Component {
  /** Gives the present session up, with all that was taken through it; the next one follows. */
  renew(reason: string): void
}

/**
 * What a worker, and a client, asks of a broker. `testBroker` of `celeriac/conformance` says what an implementation has to do; `lib/README.md` says
 * how to add one. Queues, exchanges, routing keys and priorities are those of Celery's messages, which name them whatever the broker is.
 */
export interface Broker {
  /** Where messages leave. */
  readonly publisher: BrokerPublisher
  /** Consumes the replies of tasks, for `rpc://`. */
  readonly results: ReplyInlet
  /**
   * Declares a queue with its exchange and binding, once a connection, so that a message that is published to it afterwards arrives.
   * @param tries says for how long it waits for the broker, as for `Publisher.publish`
   * @returns undefined if that is done already: each message asks
   * @throws BrokerError, or the broker's own error, when it refuses
   */
  declare(queue: QueueSpec, tries?: PublishTries): Promise<void> | undefined
  /**
   * Resolves once the broker has the message, which comes to the queue when it is due, and waits in no worker until then.
   * @param options.bindTo the queue, which has been declared, when no worker may consume it yet; `signal` ends the wait for the broker,
   *   and `tries` as for `Publisher.publish`
   * @returns false if it can't go this way: publish it as usual, and a worker will keep it
   * @throws BrokerError as `Publisher.publish`
   */
  postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    options?: { readonly bindTo?: QueueSpec; readonly signal?: AbortSignal; readonly tries?: PublishTries },
  ): Promise<boolean>
  /**
   * The present session of the connection that publishes, or its next one. Questions to other workers go out on it: a broker may stop
   * reading from a connection that publishes, and must not stop reading the acks of the one that consumes.
   */
  publishing(signal?: AbortSignal, tries?: PublishTries): Promise<Session>
  /** The connection that messages are taken from. It is up once it is started. */
  connect(listener: ConnectionListener): BrokerConnection
  /** Takes messages, session after session of the connection. */
  intake(options: IntakeOptions): Intake
  /** Where events leave; on a connection of its own. */
  eventSink(): EventSink
  /** Where the replies of remote control leave. */
  replySink(log: Logger): ReplySink
  /**
   * Runs `use` on a connection that is there for nothing else, and closes it.
   * @throws BrokerError if the broker can't be reached within `maxRetries`, or the connection is lost meanwhile; what `use` throws
   */
  session<T>(use: (session: Session) => Promise<T>): Promise<T>
}
