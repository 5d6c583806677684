import type { Broker, BrokerConnection, BrokerOptions, ConnectionListener } from '../broker/broker.js'
import type { EventSink } from '../broker/eventSink.js'
import type { Intake, IntakeOptions } from '../broker/intake.js'
import type { ReplyInlet, ReplyQueue } from '../broker/replyInlet.js'
import type { ReplySink } from '../broker/replySink.js'
import type { Session } from '../broker/session.js'
import { BrokerError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { parseBrokerUrl } from '../settings/brokerUrl.js'
import type { QueueSpec } from '../settings/queues.js'
import { hasChildren } from '../settings/slots.js'
import { MemoryConnection } from './connection.js'
import { MemoryEventSink } from './eventSink.js'
import { MemoryIntake } from './intake.js'
import { MemoryPublisher } from './publisher.js'
import { MemoryReplySink } from './replySink.js'
import { MemoryServer } from './server.js'
import { MemorySession } from './session.js'

/**
 * A broker in this process, for tests and experiments: all apps, workers and clients with the same `memory://` URL
 * share its queues, and nothing survives the process. Mirrors kombu's transport of that name.
 */
export class MemoryBroker implements Broker {
  readonly publisher: MemoryPublisher
  readonly results: ReplyInlet
  private readonly server: MemoryServer
  private readonly url: string

  constructor(private readonly options: BrokerOptions) {
    const [url] = parseBrokerUrl(options.settings.broker_url)
    this.url = String(url)
    this.warnOfChildren()
    this.server = MemoryServer.named(this.url)
    this.publisher = new MemoryPublisher(this.server)
    this.results = { open: async (queue, onReply) => this.hearResults(queue, onReply) }
  }

  async declare(queue: QueueSpec): Promise<void> {
    this.publisher.throwIfStopped()
    this.server.declare(queue, this)
  }

  async postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean> {
    this.publisher.throwIfStopped()
    this.server.later(queue, message, delayMs)
    return true
  }

  async publishing(): Promise<Session> {
    this.publisher.throwIfStopped()
    return this.openSession('producer')
  }

  connect(listener: ConnectionListener): BrokerConnection {
    const { clock, log } = this.options
    return new MemoryConnection({
      clock,
      log: log('consumer'),
      url: this.url,
      listener,
      open: () => this.openSession('consumer'),
    })
  }

  intake(options: IntakeOptions): Intake {
    return new MemoryIntake(options)
  }

  eventSink(): EventSink {
    return new MemoryEventSink(this.server)
  }

  replySink(log: Logger): ReplySink {
    return new MemoryReplySink(this.server, log)
  }

  async session<T>(use: (session: Session) => Promise<T>): Promise<T> {
    const session = this.openSession('producer')
    try {
      return await use(session)
    } finally {
      session.end(new BrokerError('the work is done'))
    }
  }

  /** Warns that each child has its own memory, and so its own broker. */
  private warnOfChildren(): void {
    const { log, nodename, settings } = this.options
    if (nodename === undefined || !hasChildren(settings.worker_pool)) return
    log('worker').warning(
      `With -P ${settings.worker_pool} and memory://, what tasks send is lost: it stays in their child. Use -P async, or another broker`,
    )
  }

  private openSession(scope: string): MemorySession {
    return new MemorySession(this.server, this.options.log(scope))
  }

  private hearResults(queue: ReplyQueue, onReply: (content: Buffer) => void): () => Promise<void> {
    const session = this.openSession('consumer')
    session.hear(this.server.declareQueue({ ...queue, exclusive: false }, session), { onMessage: onReply })
    return async () => session.end(new BrokerError('nobody waits for replies any more'))
  }
}
