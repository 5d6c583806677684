import type { ConsumeMessage } from 'amqplib'
import { Acks } from '../../../lib/amqp/acks.js'
import { AmqpSession } from '../../../lib/amqp/amqpSession.js'
import type { DelayQueues } from '../../../lib/amqp/delayed.js'
import { Epoch } from '../../../lib/amqp/epoch.js'
import { AmqpIntake } from '../../../lib/amqp/intake.js'
import type { App } from '../../../lib/app/app.js'
import type { Delivery } from '../../../lib/ports.js'
import type { OutgoingMessage } from '../../../lib/protocol/amqp.js'
import type { Autoscaler } from '../../../lib/scaling/autoscaler.js'
import { Capacity } from '../../../lib/scaling/capacity.js'
import { Consumer } from '../../../lib/worker/consumer.js'
import { OfflineLine } from '../../support/offlineLine.js'
import type { ModelBroker } from './broker.js'
import type { Verb } from './brokerSide.js'
import { Link } from './link.js'
import { CONFIG, type SlowBackend } from './parts.js'

const QUEUE = {
  name: 'spec',
  durable: false,
  exclusive: false,
  autoDelete: false,
  arguments: {},
  exchange: { name: '', type: 'direct', durable: true, autoDelete: false },
  routingKey: 'spec',
}

export interface ModelWorkerOptions {
  readonly app: App
  readonly slots: number
  readonly prefetch: number
  readonly backend: SlowBackend
  readonly broker: ModelBroker
  /** Told of each delivery before the worker is. */
  onReceived(n: number, delivery: Delivery): void
  /** Told of each settlement that the worker writes. */
  onWritten(n: number, verb: Verb): void
}

/** A worker from the connection inwards, real but for amqplib, the clock and the controller. It connects again at once. */
export class ModelWorker {
  readonly offline: OfflineLine
  private readonly consumer: Consumer
  private readonly capacity: Capacity
  private resizeWindow: (capacity: ReadonlyMap<string, number>) => void = () => undefined
  private current: { readonly link: Link; readonly epoch: Epoch } | null = null
  private epochs = 0
  private stopping = false
  private running: Promise<void> | null = null

  constructor(private readonly options: ModelWorkerOptions) {
    const { app, backend, onReceived, prefetch, slots } = options
    this.offline = new OfflineLine(app, { slots, backend, config: CONFIG })
    const { clock, line, log } = this.offline
    // Most of the time would go into lines that nobody reads.
    log.isEnabled = () => false
    this.capacity = new Capacity({ state: line.state, multiplier: prefetch, parkedLimit: 1000, log })
    const { capacity } = this
    capacity.split = new Map([[QUEUE.name, slots]])
    const receive = line.receive.bind(line)
    line.receive = (delivery) => {
      onReceived(Number(delivery.properties.headers?.n), delivery)
      receive(delivery)
    }
    const attach: Autoscaler['attach'] = ({ resize }) => {
      this.resizeWindow = resize
      resize(capacity.perQueue())
    }
    const detach = (): void => {
      this.resizeWindow = () => undefined
    }
    const delays = { bind: async () => undefined } as unknown as DelayQueues
    this.consumer = new Consumer({
      nodename: 'w@spec',
      broker: { intake: (options) => new AmqpIntake(options, delays) },
      queues: [QUEUE],
      line,
      autoscaler: { attach, detach, queuesChanged: () => undefined } as unknown as Autoscaler,
      capacity,
      prefetch,
      maxSlots: 8,
      ordered: true,
      purge: false,
      clock,
      log,
    })
  }

  /** Its present connection. */
  get link(): Link {
    if (!this.current) throw new Error('it was not started')
    return this.current.link
  }

  start(): void {
    this.running = this.run()
  }

  resize(slots: number): void {
    this.capacity.split = new Map([[QUEUE.name, slots]])
    this.offline.line.pool.resize(slots)
    this.resizeWindow(this.capacity.perQueue())
  }

  /** What its runs have published since this was last asked. */
  published(): OutgoingMessage[] {
    return this.offline.published.splice(0)
  }

  /** Takes no more messages, and gives back what doesn't run. */
  async close(): Promise<void> {
    await this.consumer.close()
    this.offline.line.close()
  }

  /** Says goodbye, after which the broker has the rest. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.current?.epoch.close()
    await this.running
  }

  private async run(): Promise<void> {
    while (!this.stopping) await this.live()
  }

  /** As `Connection.live`. */
  private async live(): Promise<void> {
    const { broker, onWritten } = this.options
    const settled = ({ properties }: ConsumeMessage, verb: Verb): void => onWritten(Number(properties.headers?.n), verb)
    const link = new Link(broker.connect(), settled)
    const epoch = new Epoch(link.model)
    const { acks } = epoch
    acks.add = (channel, tag) => {
      link.acknowledged(tag)
      Acks.prototype.add.call(acks, channel, tag)
    }
    this.current = { link, epoch }
    if (++this.epochs > 1000) throw new Error('the worker connects over and over')
    try {
      const ended = new Promise((resolve) => epoch.ended.addEventListener('abort', resolve, { once: true }))
      await this.consumer.up(new AmqpSession(epoch, this.offline.log))
      await ended
    } catch (thrown) {
      if (!epoch.ended.aborted) throw thrown
    } finally {
      await epoch.close()
      this.consumer.down()
    }
  }
}
