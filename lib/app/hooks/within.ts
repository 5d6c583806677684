import type { Clock, Timer } from '../../ports.js'

/** Thrown when what an app's own code was waited for did not come in time. */
export class LateError extends Error {
  override readonly name = 'LateError'
}

/**
 * A wait with an end, for code of the app's that may never come to one.
 * @throws what `wait` throws; LateError after `ms` milliseconds
 */
export function within<T>(wait: PromiseLike<T>, ms: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer: Timer = clock.setTimer(() => reject(new LateError(`not done within ${ms / 1000} s`)), ms)
    wait.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (thrown) => {
        timer.cancel()
        reject(thrown)
      },
    )
  })
}
