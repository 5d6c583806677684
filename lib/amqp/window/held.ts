/**
 * What has happened to the messages that a channel brought: `held` by it until they are settled; `gone`, deleted with
 * their queue, so that only we have them; `lost`, since the broker has them again.
 */
export type Fate = 'held' | 'gone' | 'lost'

/** The unsettled messages that a channel has brought. */
export class Held {
  private outcome: Fate = 'held'
  private unsettled = 0
  /**
   * Set after the broker has cancelled a consumer, until it is known whether the queue has its messages back; to be
   * called once it is.
   */
  private doubt: Promise<void> | null = null
  private decided: () => void = () => undefined
  /** What settlements are waiting for. */
  private readonly awaited = new Set<Promise<void>>()

  /** @param ended of the connection, with which everything is lost */
  constructor(private readonly ended: AbortSignal) {}

  get fate(): Fate {
    return this.outcome === 'held' && this.ended.aborted ? 'lost' : this.outcome
  }

  get count(): number {
    return this.unsettled
  }

  /**
   * What a message has to wait for before it is settled, while it isn't known who has it; null for nothing. Never
   * rejects.
   */
  get question(): Promise<void> | null {
    return this.doubt
  }

  add(): void {
    this.unsettled++
  }

  /** Called when a settlement is written. */
  remove(): void {
    this.unsettled--
  }

  /**
   * The broker may have some messages back: those that come after one in its order must not run before that is known.
   */
  doubts(): void {
    this.doubt = new Promise((resolve) => {
      this.decided = resolve
    })
  }

  /** Sets the fate once it is known. The first one holds. */
  become(fate: Fate): void {
    if (this.outcome === 'held') this.outcome = fate
    this.doubt = null
    this.decided()
  }

  /** Delays a settlement until `done`, and until the fate is known. @returns what it waits for */
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
