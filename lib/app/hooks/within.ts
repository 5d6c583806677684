import type { Clock, Timer } from '../../ports.js'

/** Thrown when the app's own code did not finish in time. */
export class LateError extends Error {
  override readonly name = 'LateError'
}

/**
 * Waits with a time limit, for code of the app that may never finish.
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
