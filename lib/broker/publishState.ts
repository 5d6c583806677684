import { type BreakerState, shownError, type WatchedBreaker } from '../breaker.js'

/**
 * The state of publishing, in the form of a breaker: open while the broker can't be reached, has blocked the
 * connection, or refuses a message that is tried again. Unlike a breaker it refuses nothing meanwhile: messages wait.
 */
export class PublishState implements WatchedBreaker {
  /** The name in `inspect stats` and on the page. */
  readonly name = 'publisher'
  /** How often the state has changed to open. */
  opens = 0
  /** The last error, as text; null for none. */
  lastError: string | null = null
  private readonly troubles = new Set<unknown>()
  private readonly listeners = new Set<(state: BreakerState) => void>()

  /** Open while there is any problem. */
  get state(): BreakerState {
    return this.troubles.size > 0 ? 'open' : 'closed'
  }

  /** Whether the state is open. */
  get refuses(): boolean {
    return this.state === 'open'
  }

  /** Records the start of a problem. @param trouble identifies the problem, to be passed to `end` */
  begin(trouble: unknown, error: unknown): void {
    const before = this.state
    this.lastError = shownError(error)
    this.troubles.add(trouble)
    this.tell(before)
  }

  /** Records the end of a problem. */
  end(trouble: unknown): void {
    if (this.troubles.delete(trouble)) this.tell('open')
  }

  /** Calls `listener` when the state changes to open or closed. @returns a function that removes the listener */
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
