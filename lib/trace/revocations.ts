import { coerceError } from '../errors.js'
import type { Backend, Clock, Logger } from '../ports.js'
import { encodeRevoked, resultMeta } from '../protocol/result.js'

/** Commands in flight: enough to hide the round trip, few enough to let other results pass. */
const IN_FLIGHT = 100

export interface RevocationsOptions {
  readonly backend: Pick<Backend, 'storeUnlessReady'>
  /** Number of tasks that may wait to be marked; the oldest are dropped first. */
  readonly limit: number
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Stores REVOKED for the ids that `revoke` names, wherever their messages are, so that clients that wait for one need
 * not wait for the whole backlog. Mirrors Celery 5.6's `mark_as_revoked` of the control command, but runs in the
 * background and leaves final results alone.
 */
export class Revocations {
  private waiting: string[] = []
  /** Index in `waiting` of the next id. */
  private next = 0
  private inFlight = 0
  /** True after a failure was logged, until the commands in flight then have ended. */
  private told = false

  constructor(private readonly options: RevocationsOptions) {}

  /**
   * Returns at once. A failure is logged and drops the ids that wait by then: each task is still marked when its
   * message comes.
   */
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
