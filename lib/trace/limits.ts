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
  /** Told when a limit has passed, in time to log it. */
  onSoft(): void
  onHard(): void
  /** Told of a run that goes on past its hard limit, and again when it has ended. */
  onStray(by: 1 | -1): void
}

/**
 * Runs a task in this process under its time limits. At the soft one its signal is aborted, which the task may catch. At the hard
 * one it is settled as a failure there and then; the promise can't be killed, so it goes on as a stray, whose end means nothing.
 * Costs nothing where there is no limit.
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
    // After the timers are set: the handler may take its time before it first waits for anything.
    run().then(
      (outcome) => ended(() => resolve(outcome)),
      (thrown) => ended(() => reject(thrown)),
    )
  })
}
