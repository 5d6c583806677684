import type { Broker, BrokerConnection, BrokerOptions } from '../../broker/broker.js'
import type { Intake, IntakeOptions, IntakeWindow } from '../../broker/intake.js'
import type { Session } from '../../broker/session.js'
import { systemClock } from '../../clock.js'
import { KeptLog } from '../../log/kept.js'
import type { Delivery } from '../../ports.js'
import type { AmqpProperties, OutgoingMessage } from '../../protocol/amqp.js'
import { loadSettings } from '../../settings/load.js'
import { type QueueSpec, queueNamed } from '../../settings/queues.js'
import type { Settings } from '../../settings/table.js'
import { randomName, waitFor } from '../suite.js'

/** A broker, with what the tests need to reach it. */
export interface BrokerCase {
  /** Name shown in the names of the tests. */
  readonly name: string
  /**
   * Returns `broker_url` of a server that nobody else uses meanwhile; called in each test. Its scheme must be
   * registered.
   */
  url(): string
  /** Makes the broker: the function given to `registerBroker`. */
  create(options: BrokerOptions): Broker
  /** Called before each test. */
  before?(): Promise<void> | void
}

/** Tools of a test case. */
export class BrokerBench {
  /** First user of the broker. */
  readonly user: BrokerUser
  /** Name of a queue that doesn't exist yet. */
  readonly queue = randomName()
  private readonly users: BrokerUser[] = []

  constructor(private readonly broker: BrokerCase) {
    this.user = this.join()
  }

  /** Adds another user of the same broker. */
  readonly join = (): BrokerUser => {
    const { broker, users } = this
    const joined = new BrokerUser(broker.url(), broker.create, `${randomName()}@spec`)
    users.push(joined)
    return joined
  }

  /**
   * Puts this many messages into the queue, and makes the user take as many as it has slots for, also from other
   * queues.
   */
  readonly filled = async (count: number, slots: number, others: readonly string[] = []): Promise<void> => {
    const { queue, user } = this
    await user.broker.declare(user.queue(queue))
    await user.send(queue, numbered(count))
    user.capacity.set(queue, slots)
    await user.take([queue, ...others].map((name) => user.queue(name)))
  }

  async clear(): Promise<void> {
    for (const user of this.users) await user.stop()
  }
}

/** Uses a broker as a worker and as a client do, and stops both. */
export class BrokerUser {
  readonly log = new KeptLog()
  readonly broker: Broker
  readonly settings: Settings
  /** In the order of their arrival, over all sessions. */
  readonly deliveries: Delivery[] = []
  readonly sessions: Session[] = []
  readonly windows: IntakeWindow[] = []
  readonly refused: string[] = []
  /** Messages that may be unsettled from each queue, from the next window on. */
  capacity = new Map<string, number>()
  /** Called with each delivery, once it is stored. */
  onDelivery: (delivery: Delivery) => void = () => undefined
  private connection: BrokerConnection | null = null
  private intake: Intake | null = null

  constructor(
    url: string,
    create: (options: BrokerOptions) => Broker,
    readonly nodename: string,
    config: Record<string, unknown> = {},
  ) {
    const quickly = { broker_native_delayed_delivery_queue_type: 'classic' }
    const { faults, settings } = loadSettings({
      config: { broker_url: url, ...quickly, ...config },
      env: {},
      flags: {},
    })
    if (faults.length > 0) throw new Error(faults.join('\n'))
    this.settings = settings
    this.broker = create({ settings, clock: systemClock, maxRetries: 3, log: () => this.log })
  }

  queue(name: string, more: Partial<QueueSpec> = {}): QueueSpec {
    return { ...queueNamed(name, this.settings), ...more }
  }

  /** Connects, and takes as many messages of each queue as `capacity` says. Resolves once the window is open. */
  async take(queues: readonly QueueSpec[], options: Partial<IntakeOptions> = {}): Promise<IntakeWindow> {
    const { broker, log, nodename } = this
    const intake = broker.intake({
      nodename,
      prefetch: 1,
      maxSlots: 16,
      ordered: false,
      hasOrder: () => false,
      running: [],
      purged: [],
      clock: systemClock,
      log,
      onDelivery: (delivery) => {
        this.deliveries.push(delivery)
        this.onDelivery(delivery)
      },
      onLost: () => undefined,
      onRefused: (queue) => this.refused.push(queue),
      ...options,
    })
    this.intake = intake
    this.connection = broker.connect({
      onUp: async (session) => {
        const known = (): readonly QueueSpec[] => queues.filter(({ name }) => !this.refused.includes(name))
        const window = await intake.open(session, known)
        window.resize(this.capacity)
        await window.settled()
        this.sessions.push(session)
        this.windows.push(window)
      },
      onDown: async () => intake.lost(),
    })
    await this.connection.start()
    await waitFor(() => this.windows.length > 0, 'the window')
    return this.window
  }

  /** The present window. */
  get window(): IntakeWindow {
    const window = this.windows.at(-1)
    if (!window) throw new Error('there is no window')
    return window
  }

  get heldUp(): boolean {
    return this.intake?.heldUp ?? false
  }

  /** Drops the connection; resolves once the next one has its window. */
  async lose(): Promise<void> {
    const before = this.windows.length
    this.connection?.renew('the spec gives it up')
    await waitFor(() => this.windows.length > before, 'the next window')
  }

  /** Sends texts to an existing queue, one after another. */
  async send(queue: string, texts: Iterable<string>, properties: AmqpProperties = {}): Promise<void> {
    for (const text of texts) await this.broker.publisher.publish(messageTo(queue, text, properties))
  }

  /** Texts of all deliveries so far. */
  get texts(): string[] {
    return this.deliveries.map(({ content }) => content.toString())
  }

  async arrived(count: number): Promise<readonly Delivery[]> {
    await waitFor(() => this.deliveries.length >= count, `${count} deliveries`)
    return this.deliveries
  }

  /** Returns the messages ready in a queue, as seen from another connection. */
  async depth(queue: string): Promise<number | undefined> {
    return (await this.window.depths([queue])).get(queue)?.ready
  }

  /** Takes no more messages and disconnects. */
  async stop(): Promise<void> {
    await this.connection?.stop()
    await this.broker.publisher.stop()
  }
}

export function messageTo(queue: string, text: string, properties: AmqpProperties = {}): OutgoingMessage {
  return { exchange: '', routingKey: queue, content: Buffer.from(text), properties, mandatory: true }
}

/** Returns `m1` to `m<count>`. */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `m${index + 1}`)
}
