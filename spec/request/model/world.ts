import { FakeDelivery } from '../../support/fakeDelivery.js'
import { OfflineLine } from '../../support/offlineLine.js'
import { type Compared, checkAll, checkEmpty, checkStart } from './checks.js'
import { CONFIG, orderApp, SlowBackend, thrownFor } from './parts.js'
import { behindIn, type Ending, type Held, Places } from './places.js'
import { isLate, ModelQueue, type Path, type TaskName } from './queue.js'

/** A worker's line with a broker of one queue before it, and beside it what ought to be true of the two. `check` compares. */
export class OrderWorld {
  readonly offline: OfflineLine
  readonly queue = new ModelQueue()
  readonly places = new Places(() => this.now)
  private mayGiveBack: ReadonlySet<Held> | 'all' = new Set()
  private readonly faults: string[] = []
  private readonly byDelivery = new Map<unknown, Held>()
  /** In the order of their numbers, which the handlers see as a header. */
  private readonly deliveries: Held[] = []
  private readonly backend = new SlowBackend()

  constructor(slots: number) {
    const { backend } = this
    this.offline = new OfflineLine(
      orderApp((n) => this.started(n)),
      { slots, backend, config: CONFIG },
    )
  }

  get now(): number {
    return this.offline.clock.now()
  }

  get running(): readonly Held[] {
    return this.places.held.filter(({ run }) => run !== null)
  }

  get ids(): readonly string[] {
    return this.queue.messages.filter(({ where }) => where !== 'done').map(({ id }) => id)
  }

  /** Publishes a message and delivers the first one of the queue. Times are milliseconds from now. */
  async publish(task: TaskName, path: Path | null, etaMs: number | null, expiresMs: number | null): Promise<void> {
    const from = (ms: number | null): number | null => (ms === null ? null : this.now + ms)
    this.queue.publish(task, path, from(etaMs), from(expiresMs))
    await this.deliver(1)
  }

  /** Hands the first messages of the queue to the line. */
  async deliver(count: number): Promise<void> {
    for (const message of this.queue.take(count)) {
      const headers = { ...message.properties.headers, n: this.deliveries.length }
      const properties = { ...message.properties, headers }
      const delivery = new FakeDelivery(properties, message.content, 'spec', (each) => this.settled(each))
      const held: Held = { message, delivery, run: null, begun: false, settling: false, retryAt: 0, blocks: false }
      this.deliveries.push(held)
      this.byDelivery.set(delivery, held)
      this.places.add(held)
      this.offline.line.receive(delivery)
    }
    await this.settle()
  }

  /** Ends a run; `losing` the connection between its end and its settlement. */
  async end(held: Held, ending: Ending, losing = false): Promise<void> {
    if (losing) this.backend.pause()
    const { delivery, message, run } = held
    if (!run) throw new Error('it does not run')
    held.run = null
    const isPutBack = ending === 'requeue' && isLate(message)
    // Without a key it goes back to the queue, with one to its place in the line.
    if (isPutBack && message.path === null) this.mayGiveBack = new Set([held])
    // What was told to stop when its connection was lost, and fails, counts as stopped.
    if (ending === 'failure' && message.task === 'strict' && message.path && delivery.live) held.blocks = true
    if (ending === 'retry' || isPutBack) held.retryAt = this.now + 1000
    run(ending)
    if (losing) await this.loseWhileSettling(held)
    await this.settle()
    this.mayGiveBack = new Set()
  }

  async advance(ms: number): Promise<void> {
    this.places.expectDue(this.now + ms)
    this.offline.clock.advance(ms)
    await this.settle()
  }

  async resize(slots: number): Promise<void> {
    this.offline.line.pool.resize(slots)
    await this.settle()
  }

  async revoke(id: string): Promise<void> {
    this.places.revoked.add(id)
    this.offline.line.revoke([id])
    await this.settle()
  }

  async unblock(path: Path): Promise<void> {
    this.places.unblock(path)
    this.fault(!this.offline.line.gate.unblock(path.join('/')), `${path.join('/')} is not blocked`)
    await this.settle()
  }

  /** The broker has everything again that wasn't acknowledged. */
  async loseConnection(): Promise<void> {
    for (const { delivery, message } of this.places.held) {
      if (delivery.live && !delivery.settled) this.queue.requeue(message)
      delivery.live = false
    }
    this.places.forget()
    this.offline.line.connectionLost()
    await this.settle()
  }

  /** Ends the world: everything is unblocked, delivered and run until nothing is left. */
  async drain(): Promise<void> {
    const { places, queue } = this
    for (let round = 0; queue.size + places.held.length + places.blocked.length > 0; round++) {
      this.fault(round > 2 * queue.messages.length + 100, 'the line stands still')
      for (const path of places.blocked) await this.unblock(path)
      await this.deliver(queue.size)
      for (const held of this.running) await this.end(held, 'success')
      await this.advance(1000)
      this.check()
    }
    for (const { id, where } of queue.messages) this.fault(where !== 'done', `${id} is lost`)
    this.checkEmpty()
  }

  /** Ends the world: the worker stops, and what hasn't run is the broker's again, no sooner than what runs before it has ended. */
  async stop(): Promise<void> {
    const { line } = this.offline
    const { held, order } = this.places
    // What waits for its time has its place by then, behind all others.
    const all = [...order, ...held.filter(({ message }) => message.path && (message.eta ?? 0) > this.now)]
    const checkKept = (): void => {
      for (const running of this.running) {
        for (const { delivery, message } of behindIn(all, running)) {
          this.fault(
            delivery.settledBy === 'giveBack',
            `${message.id} went back before ${running.message.id} had ended`,
          )
        }
      }
    }
    this.mayGiveBack = 'all'
    line.close()
    await this.deliver(2)
    checkKept()
    for (let [first] = this.running; first; [first] = this.running) {
      await this.end(first, 'success')
      this.mayGiveBack = 'all'
      checkKept()
    }
    await line.idle()
    for (const { id, where } of this.queue.messages) this.fault(where === 'here', `${id} was kept`)
    this.checkEmpty()
  }

  /** @throws Error that names what is not as it ought to be */
  check(): void {
    checkAll(this.compared())
    this.throwFaults()
  }

  /** @throws Error if anything is left of what was held */
  private checkEmpty(): void {
    this.offline.line.close()
    checkEmpty(this.compared(), this.offline.clock.pending)
    this.throwFaults()
  }

  private async loseWhileSettling(held: Held): Promise<void> {
    await this.offline.turn()
    held.settling = [...this.offline.line.state.running].some(({ delivery }) => delivery === held.delivery)
    // It comes again, so that its failure is no end.
    if (held.settling) held.blocks = false
    await this.loseConnection()
    await this.deliver(this.queue.size)
    held.settling = false
    this.backend.resume()
  }

  /** The handler of every task. */
  private started(n: number): Promise<void> {
    const held = this.deliveries[n]
    if (!held) throw new Error(`delivery ${n} was never made`)
    this.places.placeDue()
    checkStart(held, this.byDelivery, this.compared())
    held.begun = true
    return new Promise((resolve, reject) => {
      held.run = (ending) => {
        const thrown = thrownFor(ending)
        if (thrown) reject(thrown)
        else resolve()
      }
    })
  }

  private settled(delivery: FakeDelivery): void {
    const held = this.byDelivery.get(delivery)
    if (!held || !delivery.live) return
    const { message } = held
    if (delivery.settledBy === 'giveBack') {
      const isAllowed = this.mayGiveBack === 'all' || this.mayGiveBack.has(held)
      this.fault(!isAllowed, `${message.id} was given back without a reason`)
      this.queue.requeue(message)
      return
    }
    message.where = 'done'
    const hasRun = held.begun || !isLate(message)
    this.fault(!hasRun && !this.places.isOver(held), `${message.id} was settled although it never ran`)
  }

  /** Lets promises run their course, and drops what is over. */
  private async settle(): Promise<void> {
    await this.offline.turn()
    this.places.placeDue()
    for (const message of this.offline.published.splice(0)) this.queue.publishAgain(message)
    this.places.forget()
  }

  private compared(): Compared {
    const { offline, places, queue } = this
    return {
      line: offline.line,
      places,
      messages: queue.messages,
      depthLimit: CONFIG.worker_order_depth_limit,
      now: () => this.now,
      fault: (is, text) => this.fault(is, text),
    }
  }

  private fault(is: boolean, text: string): void {
    if (is) this.faults.push(text)
  }

  private throwFaults(): void {
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'))
  }
}
