import type { BrokerConnection, ConnectionListener } from '../broker/broker.js'
import { BrokerError, coerceError } from '../errors.js'
import { aborted } from '../listeners.js'
import type { Clock, Logger } from '../ports.js'
import type { MemorySession } from './session.js'

/** Pause before the next attempt after a session could not be built; doubles up to the longest. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8000

export interface MemoryConnectionOptions {
  readonly clock: Clock
  readonly log: Logger
  /** URL that it reports as its own. */
  readonly url: string
  readonly listener: ConnectionListener
  open(): MemorySession
}

/**
 * Provides sessions one after another: the next one is built as soon as the last has ended, until the connection is
 * stopped.
 */
export class MemoryConnection implements BrokerConnection {
  readonly name = 'consumer'
  private session: MemorySession | null = null
  private running: Promise<void> | null = null
  private stopped = false
  private failures = 0
  private endPause: () => void = () => undefined

  constructor(private readonly options: MemoryConnectionOptions) {}

  async start(): Promise<void> {
    if (!this.stopped) this.running ??= this.run()
  }

  renew(reason: string): void {
    this.session?.end(new BrokerError(reason))
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.endPause()
    this.session?.end(new BrokerError('the connection was closed by this worker'))
    await this.running
  }

  private async run(): Promise<void> {
    const { listener, log } = this.options
    while (!this.stopped) {
      const session = this.options.open()
      this.session = session
      try {
        log.info(`Connected to ${this.options.url}`)
        await listener.onUp(session)
        this.failures = 0
        await aborted(session.ended)
        if (!this.stopped) log.warning(`consumer: ${coerceError(session.ended.reason).message}`)
      } catch (thrown) {
        session.end(thrown)
        if (!this.stopped) log.error(`consumer: ${coerceError(thrown).message}. Trying again...`)
        this.failures++
      }
      this.session = null
      await listener.onDown()
      if (this.failures > 0) await this.pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failures - 1)))
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.stopped) return resolve()
      const timer = this.options.clock.setTimer(resolve, ms)
      this.endPause = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
