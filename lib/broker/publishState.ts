import { type BreakerState, shownError, type WatchedBreaker } from '../breaker.js'

/**
 * How publishing goes, in the form of a breaker: open while the broker can't be reached, has blocked the connection, or refuses a
 * message that is tried again. Nothing is refused meanwhile, as a breaker would: what is to be published waits.
 */
export class PublishState implements WatchedBreaker {
  /** What it is called in `inspect stats` and on the page. */
  readonly name = 'publisher'
  /** How often it has opened. */
  opens = 0
  /** The last trouble, in words; null for none. */
  lastError: string | null = null
  private readonly troubles = new Set<unknown>()
  private readonly listeners = new Set<(state: BreakerState) => void>()

  /** Open while there is any trouble. */
  get state(): BreakerState {
    return this.troubles.size > 0 ? 'open' : 'closed'
  }

  /** Whether it is open. */
  get refuses(): boolean {
    return this.state === 'open'
  }

  /** A trouble begins. @param trouble what it is, to be named again to `end` */
  begin(trouble: unknown, error: unknown): void {
    const before = this.state
    this.lastError = shownError(error)
    this.troubles.add(trouble)
    this.tell(before)
  }

  /** A trouble is over. */
  end(trouble: unknown): void {
    if (this.troubles.delete(trouble)) this.tell('open')
  }

  /** `listener` is told when it opens and closes. @returns ends it */
  onChange(listener: (state: BreakerState) => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  private tell(before: BreakerState): void {
    if (this.state === before) return
    if (this.state === 'open') this.opens++
    for (const listener of this.listeners) listener(this.state)
  }
}
