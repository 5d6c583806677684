import type { App } from '../app/app.js'
import type { GuardedBackend } from '../backends/guarded.js'
import type { BreakerInfo, BreakerState, WatchedBreaker } from '../breaker.js'
import type { BrokerPublisher } from '../broker/broker.js'
import type { Component } from '../component.js'
import type { Logger } from '../ports.js'
import { maskSecrets, secretsOf } from '../settings/mask.js'
import type { Settings } from '../settings/table.js'

export interface WorkerBreakersOptions {
  readonly app: App
  readonly backend: GuardedBackend
  readonly publisher: Pick<BrokerPublisher, 'held' | 'state'>
  readonly settings: Settings
  readonly log: Logger
}

/**
 * The breakers of everything that the worker and its tasks depend on: `results` (the result backend), `publisher`
 * (sending to the broker), and those that the app has made. Probes, metrics, the page and `inspect stats` read them
 * from here.
 */
export class WorkerBreakers implements Component, Iterable<BreakerInfo> {
  readonly name = 'breakers'
  private readonly secrets: readonly string[]
  private leave: Array<() => void> = []

  constructor(private readonly options: WorkerBreakersOptions) {
    this.secrets = secretsOf(options.settings)
  }

  *[Symbol.iterator](): Iterator<BreakerInfo> {
    const { app, backend, publisher } = this.options
    for (const { name, state, opens, lastError } of [backend.breaker, publisher.state, ...app.breakers]) {
      yield { name, state, opens, lastError: lastError === null ? null : maskSecrets(lastError, this.secrets) }
    }
  }

  /**
   * Name of the first breaker that keeps tasks from their work, so that more tasks at once would only wait for it; null
   * for none. A half-open idle breaker doesn't count: it may not be called for a long time.
   */
  get heldUpBy(): string | null {
    const { app, backend, publisher } = this.options
    if (!backend.healthy()) return backend.breaker.name
    return [publisher.state, ...app.breakers].find(({ refuses }) => refuses)?.name ?? null
  }

  /**
   * Describes which of the worker's own work waits. A service of the tasks that is unavailable is not a fault of the
   * worker.
   */
  get waits(): readonly string[] {
    const { backend, publisher } = this.options
    const reasons: string[] = []
    if (!backend.healthy()) reasons.push(`results wait: ${backend.name} can't be reached`)
    if (publisher.held > 0 && publisher.state.state !== 'closed') reasons.push('messages wait: the broker accepts none')
    return reasons
  }

  /** Follows the breakers of the app; the others write log lines of their own. */
  async start(): Promise<void> {
    for (const breaker of this.options.app.breakers) {
      this.leave.push(breaker.onChange((state) => this.write(breaker, state)))
    }
  }

  async stop(): Promise<void> {
    for (const leave of this.leave.splice(0)) leave()
  }

  private write({ lastError, name }: WatchedBreaker, state: BreakerState): void {
    const { log } = this.options
    if (state === 'open') log.warning(`Breaker ${name} is open: ${lastError}`)
    else if (state === 'half-open') log.info(`Breaker ${name} is half open: one call is let through to test it`)
    else log.info(`Breaker ${name} is closed again`)
  }
}
