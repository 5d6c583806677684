import { LinkedList } from './containers/linkedList.js'
import { StoppedError } from './errors.js'
import type { Clock, Timer } from './ports.js'

/**
 * Limits how long a wait may go on once the worker has begun to stop. Until then a wait for Redis or the broker has no
 * limit: what they are away for is kept. A stop must end whatever they do; what hasn't been stored or sent by then is
 * given back or reported.
 */
export class StopLimit {
  private readonly waits = new LinkedList<() => void>()
  private begun = false
  /** For waits that were under way when the stop began. */
  private timer: Timer | null = null

  /** @param ms milliseconds from the beginning of the stop, or of the wait, whichever is later */
  constructor(
    private readonly clock: Clock,
    readonly ms: number,
  ) {}

  /** Marks the beginning of the stop. Later calls do nothing. */
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
   * Adds the limit to a wait.
   * @param onGivenUp called when the wait is given up; returns what is missing then
   * @throws what the wait throws; StoppedError once it is given up
   */
  within<T>(wait: Promise<T>, onGivenUp: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null
      const leave = (): void => {
        this.waits.remove(place)
        timer?.cancel()
        // The timer would keep the process alive for nothing.
        if (this.waits.size === 0) this.timer?.cancel()
      }
      const giveUp = (): void => {
        if (this.waits.remove(place)) reject(new StoppedError(onGivenUp()))
      }
      const place = this.waits.add(giveUp)
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
