import type { Broker, BrokerConnection, BrokerOptions, ConnectionListener } from '../broker/broker.js'
import type { EventSink } from '../broker/eventSink.js'
import type { Intake, IntakeOptions } from '../broker/intake.js'
import type { ReplyInlet } from '../broker/replyInlet.js'
import type { ReplySink } from '../broker/replySink.js'
import type { Session } from '../broker/session.js'
import type { Logger, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import { AmqpSession } from './amqpSession.js'
import { Connection } from './connection.js'
import { DelayQueues } from './delayed.js'
import type { Epoch } from './epoch.js'
import { AmqpIntake } from './intake.js'
import { AmqpEventSink } from './nodes/eventSink.js'
import { ReplyChannel } from './nodes/replyChannel.js'
import { connectionOptions } from './options.js'
import { Outage } from './outage.js'
import { Postponer } from './postponer.js'
import { AmqpPublisher } from './publisher.js'
import { AmqpReplies } from './replies.js'
import { type SessionOptions, withEpoch } from './session.js'
import { declareQueue } from './topology.js'

const DECLARED = 'declared'

/** RabbitMQ: one connection to consume, one to publish, one for events, each opened on first use. */
export class AmqpBroker implements Broker {
  readonly publisher: AmqpPublisher
  readonly results: ReplyInlet
  private readonly delays: DelayQueues
  private readonly postponer: Postponer
  private readonly outage: Outage | null
  /** The queues that were declared on a connection before the first message to them. */
  private readonly declared = new WeakMap<Epoch, Map<string, Promise<void> | typeof DECLARED>>()

  constructor(private readonly options: BrokerOptions) {
    const { clock, log, nodename, settings, stopLimit } = options
    this.outage = nodename === undefined ? null : new Outage(nodename, settings, log('worker'))
    this.publisher = new AmqpPublisher({
      ...this.connectionOptions('producer'),
      ...(stopLimit ? { stopLimit } : {}),
      ...this.outage?.ofOthers,
    })
    this.results = new AmqpReplies(this.connectionOptions('consumer'))
    this.delays = new DelayQueues(settings.broker_native_delayed_delivery_queue_type, log('consumer'))
    this.postponer = new Postponer(this.publisher, this.delays, clock)
  }

  declare(queue: QueueSpec, tries?: PublishTries): Promise<void> | undefined {
    const { present } = this.publisher
    return present && this.declared.get(present)?.get(queue.name) === DECLARED
      ? undefined
      : this.publisher.onEpoch((epoch) => this.declareOnce(epoch, queue), undefined, tries)
  }

  postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    options: { readonly bindTo?: QueueSpec; readonly signal?: AbortSignal; readonly tries?: PublishTries } = {},
  ): Promise<boolean> {
    return this.postponer.postpone(message, queue, delayMs, options)
  }

  async publishing(signal?: AbortSignal, tries?: PublishTries): Promise<Session> {
    return this.sessionOn(await this.publisher.epoch(signal, tries), 'producer')
  }

  connect(listener: ConnectionListener): BrokerConnection {
    return new Connection({
      ...this.connectionOptions('consumer'),
      ...this.outage?.ofConsumer,
      onUp: async (epoch) => {
        if (this.outage) {
          this.outage.end()
          this.publisher.retryNow()
        }
        await listener.onUp(this.sessionOn(epoch, 'consumer'))
      },
      onDown: async () => {
        this.outage?.begin()
        await listener.onDown()
      },
      gaveUp: (error) => listener.gaveUp?.(error),
    })
  }

  intake(options: IntakeOptions): Intake {
    return new AmqpIntake(options, this.delays)
  }

  eventSink(): EventSink {
    return new AmqpEventSink({
      ...this.connectionOptions('producer', 'events'),
      name: 'events',
      ...this.outage?.ofOthers,
      maxRetries: null,
    })
  }

  replySink(log: Logger): ReplySink {
    return new ReplyChannel({ connect: (signal) => this.publisher.epoch(signal), log })
  }

  session<T>(use: (session: Session) => Promise<T>): Promise<T> {
    return withEpoch(this.connectionOptions('producer'), (epoch) => use(this.sessionOn(epoch, 'producer')))
  }

  private async declareOnce(epoch: Epoch, queue: QueueSpec): Promise<void> {
    const known = this.declared.get(epoch) ?? new Map<string, Promise<void> | typeof DECLARED>()
    this.declared.set(epoch, known)
    if (!known.has(queue.name)) known.set(queue.name, this.declareOn(epoch, queue, known))
    await known.get(queue.name)
  }

  private async declareOn(epoch: Epoch, queue: QueueSpec, known: Map<string, unknown>): Promise<void> {
    try {
      await declareQueue(epoch, queue, this.options.log('producer'))
      known.set(queue.name, DECLARED)
    } catch (thrown) {
      known.delete(queue.name)
      throw thrown
    }
  }

  private sessionOn(epoch: Epoch, scope: string): AmqpSession {
    return new AmqpSession(epoch, this.options.log(scope))
  }

  private connectionOptions(name: 'consumer' | 'producer', scope: string = name): SessionOptions {
    const { clock, log, maxRetries, settings } = this.options
    const options = connectionOptions(name, settings, clock, log(scope))
    return maxRetries === undefined ? options : { ...options, maxRetries }
  }
}
