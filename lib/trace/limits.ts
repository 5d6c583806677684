import { SoftTimeLimitExceeded, TimeLimitExceeded } from '../app/limitErrors.js'
import type { Clock, Timer } from '../ports.js'
import type { Outcome } from './outcome.js'

export interface LimitOptions {
  /** Milliseconds; null for none. */
  readonly softMs: number | null
  readonly hardMs: number | null
  readonly clock: Clock
  /** Aborts the signal that the task sees. */
  abort(reason: Error): void
  /** Called when a limit has passed, in time to log it. */
  onSoft(): void
  onHard(): void
  /** Called with 1 for a run that continues past its hard limit, and with -1 when it has ended. */
  onStray(by: 1 | -1): void
}

/**
 * Runs a task in this process under its time limits. At the soft limit its signal is aborted, which the task may catch.
 * At the hard limit it is settled as a failure at once; the promise can't be killed, so it continues as a stray, whose
 * end is ignored. Costs nothing without a limit.
 * @throws what `run` throws
 */
export function withLimits(run: () => Promise<Outcome>, options: LimitOptions): Promise<Outcome> {
  const { softMs, hardMs, clock } = options
  if (softMs === null && hardMs === null) return run()
  return new Promise((resolve, reject) => {
    const timers: Timer[] = []
    const cancel = (): void => {
      for (const timer of timers) timer.cancel()
    }
    let stray = false
    const startedAt = clock.monotonic()
    if (softMs !== null && (hardMs === null || softMs < hardMs)) {
      const soft = (): void => {
        options.onSoft()
        options.abort(new SoftTimeLimitExceeded(softMs / 1000))
      }
      timers.push(clock.setTimer(soft, softMs))
    }
    if (hardMs !== null) {
      const hard = (): void => {
        stray = true
        cancel()
        options.onHard()
        options.onStray(1)
        const error = new TimeLimitExceeded(hardMs / 1000)
        resolve({ state: 'FAILURE', kind: 'timeout', error, runtimeMs: clock.monotonic() - startedAt })
        options.abort(error)
      }
      timers.push(clock.setTimer(hard, hardMs))
    }
    const ended = (tell: () => void): void => {
      cancel()
      if (stray) options.onStray(-1)
      else tell()
    }
    // Called after the timers are set: the handler may run for long before it first awaits anything.
    run().then(
      (outcome) => ended(() => resolve(outcome)),
      (thrown) => ended(() => reject(thrown)),
    )
  })
}
