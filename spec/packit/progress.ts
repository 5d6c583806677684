import { hopsOf, type PackitMessage } from './message.js'
import type { TraceRecord } from './traceLog.js'

/** How much of the work of both hops is done, from the trace. */
export class Progress {
  readonly total: number
  /** When the last message finished, in milliseconds since the epoch. */
  lastAt = 0
  private readonly finished = new Set<string>()

  constructor(messages: readonly PackitMessage[]) {
    this.total = messages.reduce((sum, message) => sum + hopsOf(message).length, 0)
  }

  get done(): number {
    return this.finished.size
  }

  add(records: readonly TraceRecord[]): void {
    for (const { at, hop, id, outcome } of records) {
      if (outcome !== 'success') continue
      this.finished.add(`${hop} ${id}`)
      this.lastAt = Math.max(this.lastAt, at)
    }
  }
}
