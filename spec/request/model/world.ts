import { ModelBroker } from './broker.js'
import { Network } from './network.js'
import { orderApp, SlowBackend, thrownFor } from './parts.js'
import { behindIn, type Ending, type Held } from './places.js'
import { isLate, type Path, type TaskName } from './queue.js'
import { Watch } from './watch.js'
import { ModelWorker } from './worker.js'

export interface WorldOptions {
  readonly slots: number
  readonly prefetch: number
  /**
   * What is taken away, to see that the promise needs it. The `witness`: the broker refuses the queue by which the worker sees that its last
   * connection is still held. The `turns`: the line doesn't see that a settlement is still to be written.
   */
  readonly without: 'witness' | 'turns' | null
}

/** A worker and a broker of one queue, and what happens to them, one step at a time. After each, all that isn't slow has run its course. */
export class OrderWorld {
  readonly network: Network
  readonly watch: Watch
  private readonly broker: ModelBroker
  private readonly worker: ModelWorker
  private readonly backend = new SlowBackend()

  constructor(private readonly options: WorldOptions) {
    const { prefetch, slots, without } = options
    const { backend } = this
    const now = (): number => this.now
    this.broker = new ModelBroker(without !== 'witness', (message) => this.watch.done(message))
    this.worker = new ModelWorker({
      app: orderApp((n) => this.started(n)),
      slots,
      prefetch,
      backend,
      broker: this.broker,
      onReceived: (n, delivery) => {
        if (without === 'turns') Object.defineProperty(delivery, 'writing', { get: () => null, set: () => undefined })
        this.watch.received(n, this.broker.messageOf(n), delivery)
      },
      onWritten: (n, verb) => this.watch.written(n, verb),
    })
    this.network = new Network(this.worker, this.broker, now)
    this.watch = new Watch({
      messages: this.broker.queue.messages,
      line: this.worker.offline.line,
      promiseAlone: without !== null,
      now,
      link: () => this.worker.link,
    })
  }

  get now(): number {
    return this.worker.offline.clock.now()
  }

  get running(): readonly Held[] {
    return this.watch.running
  }

  /** Keys that a failure keeps shut. */
  get blocked(): readonly Path[] {
    return this.watch.places.blocked
  }

  /** Of the messages that aren't done. */
  get ids(): readonly string[] {
    return this.broker.queue.messages.filter(({ where }) => where !== 'done').map(({ id }) => id)
  }

  async start(): Promise<void> {
    this.worker.start()
    await this.settle()
  }

  /** Times are milliseconds from now. */
  async publish(task: TaskName, path: Path | null, etaMs: number | null, expiresMs: number | null): Promise<void> {
    const from = (ms: number | null): number | null => (ms === null ? null : this.now + ms)
    this.broker.queue.publish(task, path, from(etaMs), from(expiresMs))
    await this.settle()
  }

  /** Ends a run; with a `cut` of the connection between its end and its settlement. */
  async end(held: Held, ending: Ending, cut = false): Promise<void> {
    if (cut) this.backend.pause()
    const { delivery, message, run } = held
    if (!run) throw new Error('it does not run')
    held.run = null
    const isPutBack = ending === 'requeue' && isLate(message)
    const staysHere = message.path !== null && (ending === 'retry' || isPutBack)
    // Without a key it goes back to the queue, with one to its place in the line.
    held.mayGoBack = isPutBack && message.path === null
    // What was told to stop when its connection was lost, and fails, counts as stopped.
    held.fails = ending === 'failure' && message.task === 'strict' && message.path !== null && delivery.live
    if (staysHere) held.retryAt = this.now + 1000
    held.ended = !staysHere
    run(ending)
    if (cut) await this.cutWhileStoring(held)
    await this.settle()
  }

  async advance(ms: number): Promise<void> {
    this.watch.places.expectDue(this.now + ms)
    this.worker.offline.clock.advance(ms)
    this.network.tick()
    await this.settle()
  }

  async resize(slots: number): Promise<void> {
    this.worker.resize(slots)
    await this.settle()
  }

  async revoke(id: string): Promise<void> {
    this.watch.places.revoked.add(id)
    this.worker.offline.line.revoke([id])
    await this.settle()
  }

  async unblock(path: Path): Promise<void> {
    this.watch.places.unblock(path)
    const key = path.join('/')
    this.watch.fault(!this.worker.offline.line.gate.unblock(key), `${key} is not blocked`)
    await this.settle()
  }

  /** Lets something happen to the network. */
  async befall(act: (network: Network) => void): Promise<void> {
    act(this.network)
    await this.settle()
  }

  /** @throws Error that names what is not as it ought to be */
  check(): void {
    this.watch.check()
  }

  /** Ends the world: everything is unblocked, delivered and run until nothing is left. */
  async drain(): Promise<void> {
    for (let round = 0; this.ids.length + this.watch.places.held.length + this.blocked.length > 0; round++) {
      if (round > 2 * this.broker.queue.messages.length + 100) {
        // Without one of its parts it may, and that isn't what is looked for.
        if (this.options.without !== null) return
        throw new Error('the line stands still')
      }
      await this.befall((network) => network.slow(false, false))
      for (const path of this.blocked) await this.unblock(path)
      for (const held of this.running) await this.end(held, 'success')
      await this.advance(1000)
      this.check()
    }
    await this.stop(true)
  }

  /** Ends the world: the worker stops, and what hasn't run is the broker's again, no sooner than what runs before it has ended. */
  async stop(isDrained = false): Promise<void> {
    const { watch, worker } = this
    await this.befall((network) => {
      network.slow(false, false)
      network.notice(0)
    })
    const { held, order } = watch.places
    // What waits for its time has its place by then, behind all others.
    const all = [...order, ...held.filter(({ message }) => message.path && (message.eta ?? 0) > this.now)]
    const checkKept = (): void => {
      for (const running of this.running) {
        for (const { message, wentBack } of behindIn(all, running)) {
          watch.fault(wentBack, `${message.id} went back before ${running.message.id} had ended`)
        }
      }
    }
    watch.stopping = true
    void worker.close()
    await this.settle()
    checkKept()
    for (let [first] = this.running; first; [first] = this.running) {
      await this.end(first, 'success')
      checkKept()
    }
    void worker.stop()
    await this.settle()
    watch.checkEnd(worker.offline.clock.pending, isDrained)
  }

  private async cutWhileStoring(held: Held): Promise<void> {
    const { offline } = this.worker
    await offline.turn()
    const runs = [...offline.line.state.running].some(({ delivery }) => delivery === held.delivery)
    held.storing = runs && !(isLate(held.message) && held.delivery.settled)
    await this.befall((network) => network.cut())
    held.storing = false
    this.backend.resume()
  }

  /** The handler of every task. */
  private started(n: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.watch.begun(n, (ending) => {
        const thrown = thrownFor(ending)
        if (thrown) reject(thrown)
        else resolve()
      })
    })
  }

  /** Lets all that isn't slow run its course, and drops what is over. */
  private async settle(): Promise<void> {
    // What is gathered is written in the second turn.
    for (let quiet = 0; quiet < 3; quiet++) {
      if (this.network.exchange()) quiet = -1
      await this.worker.offline.turn()
    }
    this.watch.places.placeDue()
    this.watch.places.forget()
  }
}
