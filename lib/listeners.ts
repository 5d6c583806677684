/** A promise that is settled from elsewhere. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: Error): void
}

/** Mirrors `Promise.withResolvers`, which Node has from version 22 on. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

/**
 * Resolves once the signal is aborted; at once if it already is. Not for a signal that outlives the waiting callers: it
 * keeps references to them.
 */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The listeners to one kind of event, each until it is removed; called in the order in which they were added. */
export class Listeners<Arguments extends readonly unknown[] = []> {
  private readonly listeners = new Set<{ readonly tell: (...args: Arguments) => void }>()

  /** @returns a function that removes the listener */
  add(tell: (...args: Arguments) => void): () => void {
    const listener = { tell }
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  tell(...args: Arguments): void {
    for (const { tell } of this.listeners) tell(...args)
  }
}
