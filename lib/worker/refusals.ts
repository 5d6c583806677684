import { QueueRefused } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'

/** Milliseconds until a refused queue is tried again, doubled with each try. */
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 300_000
/**
 * Milliseconds: a queue refused so soon after a try went well counts as refused throughout: the broker lets us declare
 * it, but no more.
 */
const AT_ONCE_MS = 1_000

export interface RefusalsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Called when the queue should be tried again. */
  onDue(queue: string): void
}

interface Refusal {
  readonly reason: string
  readonly tries: number
  /** Milliseconds until the next try. */
  readonly delayMs: number
  readonly timer: Timer | null
}

/**
 * Queues that the broker refuses. A worker that may not consume from one of them must still consume from the others.
 * Each is tried again at growing intervals until the broker accepts it or it is cancelled. A queue whose refusal closes
 * the connection is tried only at the longest interval, or not at all where that would end alike, since each try costs
 * the other queues theirs.
 */
export class Refusals {
  private readonly refused = new Map<string, Refusal>()
  /** When the last try of a queue went well, and how many didn't before that. */
  private readonly accepted = new Map<string, { readonly tries: number; readonly at: number }>()

  private stopped = false

  constructor(private readonly options: RefusalsOptions) {}

  has(queue: string): boolean {
    return this.refused.has(queue)
  }

  /** Refused queues, each with the reason. */
  get reasons(): readonly string[] {
    return [...this.refused].map(([queue, { reason }]) => `queue ${queue} is not consumed: ${reason}`)
  }

  /**
   * Records a refusal, logs it, and schedules the next try. A try that failed for want of a connection tells nothing of
   * the queue, and doesn't count.
   */
  add(queue: string, thrown: unknown): void {
    if (this.stopped) return
    const { log } = this.options
    const known = this.refused.get(queue)
    known?.timer?.cancel()
    if (known && !(thrown instanceof QueueRefused)) {
      this.wait(queue, known)
      return
    }
    const reason = coerceError(thrown).message
    const tries = this.triesOf(queue) + 1
    const isCostly = thrown instanceof QueueRefused && thrown.isCostly
    if (isCostly && !thrown.mayPass) {
      this.refused.set(queue, { reason, tries, delayMs: 0, timer: null })
      log.error(
        `Can't consume from ${queue}: ${reason}. Each attempt ends the connection, so it is not tried again: correct the queue's definition and restart the worker, or use add_consumer`,
      )
      return
    }
    const delayMs = isCostly
      ? LONGEST_RETRY_MS
      : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries - 1, 16))
    this.wait(queue, { reason, tries, delayMs })
    log.error(`Can't consume from ${queue}: ${reason}. Trying again in ${delayMs / 1000} seconds`)
  }

  clear(queue: string): void {
    const refusal = this.refused.get(queue)
    if (!refusal) return
    refusal.timer?.cancel()
    this.refused.delete(queue)
    this.accepted.set(queue, { tries: refusal.tries, at: this.options.clock.monotonic() })
  }

  /** Cancels all further tries, also of what is refused from now on. */
  stop(): void {
    this.stopped = true
    for (const { timer } of this.refused.values()) timer?.cancel()
  }

  private wait(queue: string, refusal: Omit<Refusal, 'timer'>): void {
    const { clock, onDue } = this.options
    this.refused.set(queue, { ...refusal, timer: clock.setTimer(() => onDue(queue), refusal.delayMs) })
  }

  private triesOf(queue: string): number {
    const refusal = this.refused.get(queue)
    if (refusal) return refusal.tries
    const accepted = this.accepted.get(queue)
    this.accepted.delete(queue)
    return accepted && this.options.clock.monotonic() - accepted.at < AT_ONCE_MS ? accepted.tries : 0
  }
}
