/** Who is told of one thing that happens, each until it says otherwise; in the order in which they came. */
export class Listeners<Arguments extends readonly unknown[] = []> {
  private readonly listeners = new Set<{ readonly tell: (...args: Arguments) => void }>()

  /** @returns ends it */
  add(tell: (...args: Arguments) => void): () => void {
    const listener = { tell }
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  tell(...args: Arguments): void {
    for (const { tell } of this.listeners) tell(...args)
  }
}
