import type { Intake, IntakeOptions, IntakeWindow, QueueDepth, QueueRefused } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import type { QueueSpec } from '../settings/queues.js'
import type { AmqpSession } from './amqpSession.js'
import type { DelayQueues } from './delayed.js'
import { DepthProbe } from './depth.js'
import type { Epoch } from './epoch.js'
import { Purge } from './purge.js'
import { QueueSetup } from './queueSetup.js'
import { askToConsume, refusalOf } from './refusal.js'
import { OrderDetector } from './window/orderDetector.js'
import { Window } from './window/window.js'
import { Witness } from './witness.js'

/**
 * Takes messages in from RabbitMQ: finds out what must be known of the queues, and of the last connection, before a
 * window is opened.
 */
export class AmqpIntake implements Intake {
  private readonly purge: Purge
  private readonly keys: OrderDetector
  private readonly setup: QueueSetup
  private readonly witness: Witness
  /**
   * Queues from which messages were taken: some may have come back, and must keep their places (see `askToConsume`).
   */
  private readonly taken = new Set<string>()
  /** Queues that had a consumer, on whichever connection. */
  private readonly opened = new Set<string>()
  private sequence = 0

  constructor(
    private readonly options: IntakeOptions,
    delays: DelayQueues,
  ) {
    this.purge = new Purge(options.purged, options.log)
    this.keys = new OrderDetector(options)
    this.setup = new QueueSetup({ ...options, delays, ordered: () => this.keys.ordered })
    this.witness = new Witness({ ...options, isNeeded: () => this.keys.ordered || options.hasOrder() })
  }

  get heldUp(): boolean {
    return this.witness.heldUp
  }

  async open(session: Session, queues: () => readonly QueueSpec[]): Promise<IntakeWindow> {
    const { epoch } = session as AmqpSession
    const { log, nodename, onDelivery, onLost, prefetch } = this.options
    const { setup, witness } = this
    await witness.settled(epoch)
    setup.begin()
    const prepared = new Set<string>()
    const prepareAll = async (): Promise<void> => {
      const next = (): QueueSpec | undefined => queues().find(({ name }) => !prepared.has(name))
      for (let queue = next(); queue; queue = next()) {
        prepared.add(queue.name)
        await this.prepare(epoch, queue)
      }
    }
    await prepareAll()
    this.purge.tell()
    await setup.prepareDelays(epoch)
    await witness.stand(epoch)
    // Remote control is open by now, and may have added some.
    await prepareAll()
    epoch.ended.throwIfAborted()
    const admits = this.keys.watch(epoch, setup.kinds)
    const window = new Window({
      epoch,
      node: nodename,
      prefetch,
      kinds: setup.kinds,
      log,
      nextSequence: () => ++this.sequence,
      onDelivery: (delivery) => {
        this.taken.add(delivery.queue)
        if (!admits(delivery)) return
        onDelivery(delivery)
        // The first key may come in a header.
        if (witness.isMissing) void witness.stand(epoch)
      },
      declare: async (name) => {
        const queue = queues().find((queue) => queue.name === name)
        if (queue) await setup.declare(epoch, queue)
      },
      onLost,
      onOpened: (name) => this.opened.add(name),
      onRefused: (name, refusal, wasOpen) => this.refuse(name, refusal, wasOpen),
    })
    const probe = new DepthProbe(epoch, log)
    return {
      count: (queue) => window.count(queue),
      resize: (capacity, alone) => window.resize(capacity, alone),
      splitLarge: () => window.splitLarge(),
      settled: () => window.settled(),
      close: () => window.close(),
      depths: (names) => this.depths(epoch, probe, names),
      add: (queue) => this.add(epoch, queue),
      handOver: { begin: (queue) => window.retain(queue), end: (queue) => window.drop(queue) },
    }
  }

  lost(): void {
    this.witness.lost()
  }

  private async depths(epoch: Epoch, probe: DepthProbe, queues: Iterable<string>): Promise<Map<string, QueueDepth>> {
    const depths = await probe.sample(queues)
    // An order of keys may have appeared since.
    void this.witness.stand(epoch)
    return depths
  }

  private async add(epoch: Epoch, queue: QueueSpec): Promise<void> {
    try {
      await this.setup.declare(epoch, queue)
      // Refused so far, it wasn't purged with the others; later there would be messages in it that came meanwhile.
      await this.purge.empty(epoch, queue.name)
      // From a queue with a single active consumer we would get a message only by chance.
      const { autoDelete, singleActive } = this.setup.kinds.get(queue.name) ?? {}
      const isAsked = !this.taken.has(queue.name) && singleActive !== true && autoDelete !== true
      if (isAsked) await askToConsume(epoch, queue.name)
    } catch (thrown) {
      throw refusalOf(thrown, epoch) ?? thrown
    }
    this.purge.tell()
    void this.setup.prepareDelays(epoch)
  }

  /** Declares a queue and purges it if requested; a queue that the broker refuses is left out, and the others go on. */
  private async prepare(epoch: Epoch, queue: QueueSpec): Promise<void> {
    try {
      await this.setup.declare(epoch, queue)
      await this.purge.empty(epoch, queue.name)
    } catch (thrown) {
      const refusal = refusalOf(thrown, epoch)
      if (refusal) this.refuse(queue.name, refusal, false)
      // The cause of the lost connection is known by now: the next connection is built without this queue.
      if (!refusal || epoch.ended.aborted) throw thrown
    }
  }

  private refuse(name: string, refusal: QueueRefused, wasOpen: boolean): void {
    this.options.onRefused(name, refusal, wasOpen || this.opened.has(name))
  }
}
