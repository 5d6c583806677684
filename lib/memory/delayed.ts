import type { OutgoingMessage } from '../protocol/amqp.js'

/** The longest delay of Node's timers. */
const LONGEST_MS = 2 ** 31 - 1

interface Waiting {
  readonly queue: string
  readonly message: OutgoingMessage
  /** Monotonic milliseconds. */
  readonly due: number
}

/**
 * Messages that wait until they are due, soonest first. One timer is set while there are messages; it doesn't keep the
 * process alive.
 */
export class Delayed {
  private waiting: Waiting[] = []
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly put: (queue: string, message: OutgoingMessage) => void) {}

  add(queue: string, message: OutgoingMessage, delayMs: number): void {
    const due = performance.now() + delayMs
    const index = this.waiting.findIndex((other) => other.due > due)
    this.waiting.splice(index < 0 ? this.waiting.length : index, 0, { queue, message, due })
    this.watch()
  }

  /** Drops all waiting messages. */
  clear(): void {
    this.waiting = []
    this.watch()
  }

  private watch(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    const [next] = this.waiting
    if (!next) return
    const ms = Math.min(LONGEST_MS, Math.max(0, Math.ceil(next.due - performance.now())))
    this.timer = setTimeout(() => this.deliver(), ms).unref()
  }

  private deliver(): void {
    const now = performance.now()
    for (let [next] = this.waiting; next && next.due <= now; [next] = this.waiting) {
      this.waiting.shift()
      this.put(next.queue, next.message)
    }
    this.watch()
  }
}
