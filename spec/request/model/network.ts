import type { ModelBroker } from './broker.js'
import { HEARTBEAT, type Link } from './link.js'
import type { ModelWorker } from './worker.js'

/** What lies between the worker and the broker, and what either of the two knows of it. Each step says what has happened, and waits for nothing. */
export class Network {
  /** Connections that the worker has lost and the broker holds, and the wall-clock time at which it misses their heartbeats. */
  private lost: Array<{ readonly link: Link; readonly until: number }> = []

  constructor(
    private readonly worker: ModelWorker,
    private readonly broker: ModelBroker,
    private readonly now: () => number,
  ) {}

  get isHeldUp(): boolean {
    return this.lost.length > 0
  }

  /**
   * Whether the broker may cancel a consumer: while an acknowledgement, or word of the cancellation, is on its way no worker could keep
   * the order.
   */
  get mayTakeBack(): boolean {
    const { side, down, up } = this.link
    return !side.closed && up.size === 0 && !down.slow && side.holding.length > 0
  }

  /** The worker's present one. */
  get link(): Link {
    return this.worker.link
  }

  /** From now on what the worker writes, or the broker, is on its way until `pass`, or until both are quick again. */
  slow(up: boolean, down: boolean): void {
    this.link.up.slow = up
    this.link.down.slow = down
  }

  /** So many frames arrive. */
  pass(way: 'up' | 'down', count: number): void {
    this.link[way].pass(count)
  }

  /** Both sides learn at once that the connection is gone, and what is on its way is lost. */
  cut(): void {
    const { link } = this
    link.side.close()
    link.lose()
  }

  /** The worker loses the connection, and the broker learns of it by its heartbeat, or by `notice`. */
  lose(): void {
    const { link } = this
    this.lost.push({ link, until: this.now() + 2 * HEARTBEAT * 1000 })
    link.lose()
  }

  /** The broker learns of it, after it has read so many of the frames that were on their way. */
  notice(late: number): void {
    for (const { link } of this.lost) link.up.pass(late)
    this.giveUp(() => true)
  }

  /** The broker takes a connection for gone that goes on in the worker's eyes, until it reads of it behind all else. */
  drop(): void {
    this.link.side.close()
  }

  /** The broker cancels one of the consumers that hold messages, and gives these out again. */
  takeBack(index: number): void {
    const { holding } = this.link.side
    const consumer = holding[index % holding.length]
    if (consumer) this.link.side.takeBack(consumer)
  }

  /** Lets the broker miss heartbeats. */
  tick(): void {
    this.giveUp(({ until }) => until <= this.now())
  }

  /** Both sides read what isn't slow. @returns whether anything was there */
  exchange(): boolean {
    for (const message of this.worker.published()) this.broker.queue.publishAgain(message)
    this.broker.push()
    const { down, up } = this.link
    return (up.slow ? 0 : up.pass()) + (down.slow ? 0 : down.pass()) > 0
  }

  private giveUp(isOver: (lost: { readonly until: number }) => boolean): void {
    const over = this.lost.filter(isOver)
    this.lost = this.lost.filter((lost) => !over.includes(lost))
    for (const { link } of over) link.side.close()
  }
}
