import { coerceError } from '../errors.js'
import type { Backend, Clock, Logger } from '../ports.js'
import { encodeRevoked, resultMeta } from '../protocol/result.js'

/** Commands without an answer: enough for a round trip to cost little, few enough for other results to pass. */
const IN_FLIGHT = 100

export interface RevocationsOptions {
  readonly backend: Pick<Backend, 'storeUnlessReady'>
  /** Tasks that may wait to be marked; the earliest are forgotten first. */
  readonly limit: number
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Stores REVOKED for the ids that `revoke` names, wherever their messages are, so that who waits for one doesn't wait for the whole
 * backlog. Mirrors Celery 5.6's `mark_as_revoked` of the control command, but in the background, and it spares results that are final.
 */
export class Revocations {
  private waiting: string[] = []
  /** Index of the next one in `waiting`. */
  private next = 0
  private inFlight = 0
  /** Told of a failure, until what was under way then has ended. */
  private told = false

  constructor(private readonly options: RevocationsOptions) {}

  /** Returns at once. A failure is logged, and what waits by then is given up: each task is still marked when its message comes. */
  add(ids: readonly string[]): void {
    const { backend, limit } = this.options
    if (!backend.storeUnlessReady) return
    this.waiting = [...this.waiting.slice(this.next), ...ids].slice(-limit)
    this.next = 0
    this.pump()
  }

  private pump(): void {
    while (this.inFlight < IN_FLIGHT) {
      const id = this.waiting[this.next]
      if (id === undefined) break
      this.next++
      this.inFlight++
      void this.mark(id)
    }
    if (this.next === this.waiting.length) this.forget()
  }

  private async mark(id: string): Promise<void> {
    const { backend, clock } = this.options
    try {
      await backend.storeUnlessReady?.(
        resultMeta({ taskId: id, status: 'REVOKED', result: encodeRevoked('revoked') }, clock.now()),
      )
    } catch (thrown) {
      this.giveUp(id, coerceError(thrown))
    }
    this.inFlight--
    if (this.inFlight === 0) this.told = false
    this.pump()
  }

  private giveUp(id: string, { message }: Error): void {
    const { log } = this.options
    const others = this.waiting.length - this.next
    this.forget()
    if (this.told) return
    this.told = true
    log.warning(`Failed to mark task ${id} as revoked in backend: ${message}`)
    if (others > 0) log.warning(`${others} other revoked tasks are marked only when their messages arrive`)
  }

  private forget(): void {
    this.waiting = []
    this.next = 0
  }
}
