/**
 * What has become of the messages that a channel brought: `held` by it until they are settled; `gone`, deleted with their queue, so that
 * they are nowhere but here; `lost`, since the broker has them again.
 */
export type Fate = 'held' | 'gone' | 'lost'

/** The messages that a channel has brought and that aren't settled. */
export class Held {
  private outcome: Fate = 'held'
  private unsettled = 0
  /** After the broker has cancelled a consumer, until it is known whether the queue has its messages back; to be called once it is. */
  private doubt: Promise<void> | null = null
  private decided: () => void = () => undefined
  /** What messages wait for to be settled. */
  private readonly awaited = new Set<Promise<void>>()

  /** @param ended of the connection, with which everything is lost */
  constructor(private readonly ended: AbortSignal) {}

  get fate(): Fate {
    return this.outcome === 'held' && this.ended.aborted ? 'lost' : this.outcome
  }

  get count(): number {
    return this.unsettled
  }

  /** What a message has to wait for to be settled, while it isn't known who has it; null for nothing. Never rejects. */
  get question(): Promise<void> | null {
    return this.doubt
  }

  add(): void {
    this.unsettled++
  }

  /** A settlement is written. */
  remove(): void {
    this.unsettled--
  }

  /** The broker may have some of them back: what comes after one in its order must not run before that is known. */
  doubts(): void {
    this.doubt = new Promise((resolve) => {
      this.decided = resolve
    })
  }

  /** It is known. The first that is known holds. */
  become(fate: Fate): void {
    if (this.outcome === 'held') this.outcome = fate
    this.doubt = null
    this.decided()
  }

  /** A message is to be settled after `done`, and after all doubt. @returns what it waits for */
  waitFor(done: Promise<void>): Promise<void> {
    const settleable: Promise<void> = done
      .then(() => this.doubt ?? undefined)
      .finally(() => this.awaited.delete(settleable))
    this.awaited.add(settleable)
    return settleable
  }

  /** Resolves once every settlement that waited is written. */
  async written(): Promise<void> {
    while (this.awaited.size > 0) await Promise.all(this.awaited)
  }
}
