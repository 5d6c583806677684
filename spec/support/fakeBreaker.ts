import type { BreakerState, ObservedBreaker } from '../../lib/breaker.js'

/** A breaker that is opened and closed by hand. */
export class FakeBreaker implements ObservedBreaker {
  opens = 0
  lastError: string | null = null
  private current: BreakerState = 'closed'
  private readonly listeners = new Set<(state: BreakerState) => void>()

  constructor(readonly name = 'service') {}

  get state(): BreakerState {
    return this.current
  }

  get refuses(): boolean {
    return this.current === 'open'
  }

  set(state: BreakerState): void {
    this.current = state
    if (state === 'open') this.opens++
    for (const listener of [...this.listeners]) listener(state)
  }

  onChange(listener: (state: BreakerState) => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  onCall(): () => void {
    return () => undefined
  }

  observe(): void {
    // Its state is set by hand.
  }

  follow(): void {
    // Nor is it told by anyone else.
  }

  get followers(): number {
    return this.listeners.size
  }
}
