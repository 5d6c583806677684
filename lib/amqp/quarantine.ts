/**
 * Finds the message over which the broker closes the channel, among all that were under way at that moment: each of
 * them is sent alone, and nothing else meanwhile. The message that closes the channel again is the culprit.
 */
export class Quarantine {
  private turn: Promise<void> = Promise.resolve()
  private inside = 0
  private ended: Promise<void> = Promise.resolve()
  private end: () => void = () => undefined

  get isEmpty(): boolean {
    return this.inside === 0
  }

  /** Resolves once no message is in quarantine. */
  over(): Promise<void> {
    return this.ended
  }

  /** Enters quarantine; resolves when it is this message's turn. @returns a function to call when it leaves */
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
