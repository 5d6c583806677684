import type { Consumer } from './consumer.js'
import { coerceError } from './errors.js'
import type { Line } from './line.js'
import type { Clock, Logger } from './ports.js'
import type { Settings } from './settings/table.js'

/** After a cold stop was announced to the running tasks, how long their last words may take. */
const LAST_WORDS_MS = 500

export interface ShutdownOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly line: Line
  readonly consumer: Pick<Consumer, 'close'>
  /** Told first: monitors are to know at once. */
  onBegin(): void
  /** Stops the components, once nothing runs any more. */
  finish(): Promise<void>
}

/** A worker's two ways to stop. Each happens once, however often it is asked for. */
export class Shutdown {
  /** Resolves with the exit code when the worker has stopped, for whatever reason. */
  readonly ended: Promise<{ readonly code: number }>
  private end: (result: { code: number }) => void = () => undefined
  private code = 0
  private stopping: Promise<void> | null = null
  private terminating: Promise<void> | null = null

  constructor(private readonly options: ShutdownOptions) {
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  get begun(): boolean {
    return this.stopping !== null
  }

  /**
   * Warm: takes no more messages, gives back what hasn't started, waits for what runs (without a limit, as Celery does),
   * then says goodbye to the broker.
   */
  stop(): Promise<void> {
    this.stopping ??= this.warm()
    return this.stopping
  }

  /** Cold: as `stop`, but what still runs after `worker_soft_shutdown_timeout` is told to end and left to the broker. */
  terminate(): Promise<void> {
    this.terminating ??= this.cold()
    return this.terminating
  }

  /** Warm, after an error that can't be recovered from: the exit code is 1. */
  fail(): void {
    this.code = 1
    void this.stop()
  }

  private async warm(): Promise<void> {
    const { consumer, line, log } = this.options
    this.options.onBegin()
    await consumer.close().catch((thrown) => log.warning(`Consumers weren't cancelled: ${coerceError(thrown).message}`))
    line.close()
    await line.idle()
    await this.finish()
  }

  private async cold(): Promise<void> {
    const { line, log, settings } = this.options
    const { worker_soft_shutdown_timeout: seconds, worker_enable_soft_shutdown_on_idle: evenIdle } = settings
    const warm = this.stop()
    if (seconds > 0 && (line.pool.busy > 0 || evenIdle)) {
      log.warning(`Initiating Soft Shutdown, terminating in ${seconds} seconds`)
      await Promise.race([warm, this.after(seconds * 1000)])
    }
    line.abort()
    await Promise.race([warm, this.after(LAST_WORDS_MS)])
    await this.finish()
  }

  private async finish(): Promise<void> {
    await this.options
      .finish()
      .catch((thrown) => this.options.log.error(`The worker stopped with faults: ${coerceError(thrown).message}`))
    this.end({ code: this.code })
  }

  private after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.setTimer(resolve, ms)
    })
  }
}
