import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../support/client.js'

const LOOK_MS = 100

/** How long lanes are consumed by nobody, as the broker sees it. */
export class Vacancies {
  /** When each lane without a consumer was seen without one first. */
  private readonly since = new Map<string, number>()
  private longestMs = 0
  private isOver = false
  private readonly watching: Promise<void>

  /** @param client which is used for nothing else */
  constructor(
    private readonly client: Client,
    private readonly lanes: readonly string[],
  ) {
    this.watching = this.watch()
  }

  /** The longest since it was asked for last, in milliseconds. */
  take(): number {
    const longest = this.longestMs
    this.longestMs = 0
    return longest
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.watching
  }

  private async watch(): Promise<void> {
    while (!this.isOver) {
      for (const lane of this.lanes) {
        const consumers = await this.client.consumers(lane)
        const now = performance.now()
        const since = this.since.get(lane) ?? now
        this.longestMs = Math.max(this.longestMs, now - since)
        if (consumers > 0) this.since.delete(lane)
        else this.since.set(lane, since)
      }
      await pause(LOOK_MS)
    }
  }
}
