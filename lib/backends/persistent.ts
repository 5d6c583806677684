import { coerceError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'
import type { StopLimit } from '../stopLimit.js'
import { BackendError, isRetriable } from './backendError.js'

export interface PersistentOptions {
  readonly clock: Clock
  /** The wait after the first failure; it doubles up to `slowestMs`. */
  readonly retryMs: number
  /** The longest wait; 2 s unless given. */
  readonly slowestMs?: number
  /** Limits the calls once the worker stops; without it, `stop` ends them. */
  readonly stopLimit?: StopLimit
}

const SLOWEST_MS = 2000

/** Repeats calls as long as they fail with a retriable error, or until it is stopped. */
export class Persistent {
  private readonly waits = new Map<Timer, (error: Error) => void>()
  private stopped = false

  constructor(private readonly options: PersistentOptions) {}

  /**
   * Makes a call, again after each retriable error.
   * @param what for the error's text when the call is given up
   * @param call receives whether it was made before: an earlier try may have taken effect
   * @throws an error of the call that isn't retriable; BackendError once stopped; StoppedError when the limit of a stop
   *   has passed
   */
  run<T>(what: string, call: (isRepeated: boolean) => Promise<T>): Promise<T> {
    const fate = { last: '', isOver: false }
    const running = this.tries(what, call, fate)
    return (
      this.options.stopLimit?.within(running, () => {
        fate.isOver = true
        return `${what}: ${fate.last || 'there is no answer'}`
      }) ?? running
    )
  }

  /** Ends every wait, and every call at its first failure. */
  stop(): void {
    this.stopped = true
    for (const [timer, reject] of this.waits) {
      timer.cancel()
      reject(new BackendError('the backend was stopped'))
    }
    this.waits.clear()
  }

  private async tries<T>(
    what: string,
    call: (isRepeated: boolean) => Promise<T>,
    fate: { last: string; isOver: boolean },
  ): Promise<T> {
    const { retryMs, slowestMs = SLOWEST_MS } = this.options
    for (let delayMs = retryMs, isRepeated = false; ; delayMs = Math.min(2 * delayMs, slowestMs), isRepeated = true) {
      try {
        return await call(isRepeated)
      } catch (thrown) {
        const error = coerceError(thrown)
        if (!isRetriable(error) || fate.isOver) throw error
        fate.last = error.message
        if (this.stopped) throw new BackendError(`${what}: ${error.message}`, { cause: error })
      }
      await this.wait(delayMs)
      if (fate.isOver) throw new BackendError(`${what}: ${fate.last}`)
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.setTimer(() => {
        this.waits.delete(timer)
        resolve()
      }, ms)
      this.waits.set(timer, reject)
    })
  }
}
