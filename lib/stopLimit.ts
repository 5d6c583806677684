import { StoppedError } from './errors.js'
import type { Clock, Timer } from './ports.js'

/**
 * How long a wait may go on once the worker has begun to stop. Until then a wait for Redis or the broker has no end: what they are
 * away for is kept. A stop must end whatever they do, and what hasn't been stored or sent by then is given back or told.
 */
export class StopLimit {
  private readonly waits = new Set<() => void>()
  private begun = false
  /** For those that were under way when the stop began. */
  private timer: Timer | null = null

  /** @param ms from the beginning of the stop, or of the wait, whichever is later */
  constructor(
    private readonly clock: Clock,
    readonly ms: number,
  ) {}

  /** The stop begins. Later calls do nothing. */
  begin(): void {
    if (this.begun) return
    this.begun = true
    const underWay = [...this.waits]
    const giveUpAll = (): void => {
      for (const giveUp of underWay) giveUp()
    }
    if (underWay.length > 0) this.timer = this.clock.setTimer(giveUpAll, this.ms)
  }

  /**
   * The same wait, with an end once the stop has begun.
   * @param onGivenUp called when it is given up; says what then is missing
   * @throws what the wait throws; StoppedError once it is given up
   */
  within<T>(wait: Promise<T>, onGivenUp: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null
      const leave = (): void => {
        this.waits.delete(giveUp)
        timer?.cancel()
        // It would keep the process for nothing.
        if (this.waits.size === 0) this.timer?.cancel()
      }
      const giveUp = (): void => {
        if (this.waits.delete(giveUp)) reject(new StoppedError(onGivenUp()))
      }
      this.waits.add(giveUp)
      if (this.begun) timer = this.clock.setTimer(giveUp, this.ms)
      wait.then(
        (value) => {
          leave()
          resolve(value)
        },
        (thrown) => {
          leave()
          reject(thrown)
        },
      )
    })
  }
}
