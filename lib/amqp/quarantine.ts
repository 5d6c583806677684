/**
 * Finds the message over which the broker closes the channel, of all that were under way at that moment: each of them is sent alone, and
 * nothing else meanwhile. The one that ends the channel again is the one.
 */
export class Quarantine {
  private turn: Promise<void> = Promise.resolve()
  private inside = 0
  private ended: Promise<void> = Promise.resolve()
  private end: () => void = () => undefined

  get isEmpty(): boolean {
    return this.inside === 0
  }

  /** Resolves once nobody is inside. */
  over(): Promise<void> {
    return this.ended
  }

  /** Joins those under suspicion; resolves when it is this one's turn. @returns what to call when it leaves */
  async enter(): Promise<() => void> {
    if (this.inside++ === 0) {
      this.ended = new Promise((resolve) => {
        this.end = resolve
      })
    }
    const before = this.turn
    let next: () => void = () => undefined
    this.turn = new Promise((resolve) => {
      next = resolve
    })
    await before
    return () => {
      next()
      if (--this.inside === 0) this.end()
    }
  }
}
