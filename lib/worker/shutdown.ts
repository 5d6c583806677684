import { coerceError } from '../errors.js'
import type { Line } from '../line/line.js'
import { deferred } from '../listeners.js'
import type { Clock, Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'
import type { Consumer } from './consumer.js'
import type { StopCause } from './hooks.js'

/** Milliseconds that running tasks have left after a cold stop was announced to them. */
const LAST_WORDS_MS = 500
/** Milliseconds: a broker that can be reached confirms at once that a consumer is cancelled. */
const CANCEL_MS = 5_000
/** Milliseconds from the beginning of a stop, or of the wait if that is later. */
export const STOP_LIMIT_MS = 10_000
/** Milliseconds: anything with a limit of its own needs less; this one is for the unforeseen. */
export const COMPONENT_LIMIT_MS = 15_000
/** Error for a message that the broker did not confirm in time. */
export const NOT_TAKEN = 'the broker did not take the message before the worker stopped'

/*
 * Time limits of the waits in a stop. Only running tasks have no limit, as in Celery, and only in a warm stop.
 *
 * that the broker cancels the consumers          CANCEL_MS; then what still comes is given back as it comes
 * tasks that run                                 warm: forever; cold: worker_soft_shutdown_timeout, then LAST_WORDS_MS
 * a result, or a state of a task, to be stored   STOP_LIMIT_MS (`GuardedBackend`)
 * a message of a task or a retry to be confirmed STOP_LIMIT_MS (`AmqpPublisher`, `Lending`)
 * an ETA message on its way to the delay queues  STOP_LIMIT_MS (`AmqpPublisher`)
 * a child process or thread for a task           STOP_LIMIT_MS (`ChildPool`)
 * messages on their way to the lanes of a fleet  2 s, and 2 s for their channel to close; then they go back to their queue (`AmqpMove`)
 * each connection's goodbye, the last acks in it 2 s, then the socket is cut (`Epoch`)
 * a connection that is being opened              broker_connection_timeout
 * what the backend still holds                   10 s, after which it is logged; then Redis' goodbye: 2 s
 * a child that has nothing to do                 5 s and what its resources may take, then it is killed (`ChildPool`)
 * a hook                                         worker_hook_timeout each, one after another (`Hooks`)
 * a resource to be closed                        worker_resource_timeout each, one after another (`Resources`)
 * replies to remote control, events, HTTP        not waited for: a client without an answer by then is cut off
 * any one component                              COMPONENT_LIMIT_MS, and what hooks and resources may take (`Blueprint`)
 */

export interface ShutdownOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly line: Line
  readonly stopLimit: StopLimit
  readonly consumer: Pick<Consumer, 'close'>
  /** Called first, so that monitors know at once. Called again if a warm stop becomes a cold one. */
  onBegin(how: 'Warm' | 'Cold', cause: StopCause | null): void
  /** Stops the components once nothing runs. */
  finish(): Promise<void>
}

/** The two ways to stop a worker. Each happens once, however often it is requested. */
export class Shutdown {
  /** Resolves with the exit code when the worker has stopped, for whatever reason. */
  readonly ended: Promise<{ readonly code: number }>
  private readonly end: (result: { readonly code: number }) => void
  private code = 0
  private stopping: Promise<void> | null = null
  private terminating: Promise<void> | null = null

  constructor(private readonly options: ShutdownOptions) {
    const { promise, resolve } = deferred<{ readonly code: number }>()
    this.ended = promise
    this.end = resolve
  }

  get begun(): boolean {
    return this.stopping !== null
  }

  /**
   * Warm shutdown: takes no more messages, gives back what hasn't started, waits for running tasks (without a limit, as
   * Celery does), then closes the connection to the broker.
   */
  stop(cause: StopCause | null = null): Promise<void> {
    this.stopping ??= this.warm('Warm', cause)
    return this.stopping
  }

  /**
   * Cold shutdown: as `stop`, but tasks that still run after `worker_soft_shutdown_timeout` are told to end and left to
   * the broker.
   */
  terminate(cause: StopCause | null = null): Promise<void> {
    this.terminating ??= this.cold(cause)
    return this.terminating
  }

  /** Warm, after an error that can't be recovered from: the exit code is 1. */
  fail(): void {
    this.code = 1
    void this.stop()
  }

  private async warm(how: 'Warm' | 'Cold', cause: StopCause | null): Promise<void> {
    const { line, stopLimit } = this.options
    this.options.onBegin(how, cause)
    stopLimit.begin()
    await this.closeConsumer()
    line.close()
    await line.idle()
    await this.finish()
  }

  private async closeConsumer(): Promise<void> {
    const { clock, consumer, log } = this.options
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(() => {
        log.warning(
          `The broker did not confirm within ${CANCEL_MS / 1000} s that the consumers are cancelled; the worker stops without it`,
        )
        resolve()
      }, CANCEL_MS)
      consumer
        .close()
        .catch((thrown) => log.warning(`Consumers weren't cancelled: ${coerceError(thrown).message}`))
        .finally(() => {
          timer.cancel()
          resolve()
        })
    })
  }

  private async cold(cause: StopCause | null): Promise<void> {
    const { clock, line, log, settings } = this.options
    const { worker_soft_shutdown_timeout: seconds, worker_enable_soft_shutdown_on_idle: evenIdle } = settings
    if (this.stopping) this.options.onBegin('Cold', cause)
    this.stopping ??= this.warm('Cold', cause)
    const warm = this.stopping
    if (seconds > 0 && (line.pool.busy > 0 || evenIdle)) {
      log.warning(`Initiating Soft Shutdown, terminating in ${seconds} seconds`)
      await within(warm, clock, seconds * 1000)
    }
    line.abort()
    await within(warm, clock, LAST_WORDS_MS)
    await this.finish()
  }

  private async finish(): Promise<void> {
    await this.options
      .finish()
      .catch((thrown) => this.options.log.error(`The worker stopped with errors: ${coerceError(thrown).message}`))
    this.end({ code: this.code })
  }
}

/** Waits for at most `ms`. No timer is left behind that would keep the process alive. */
function within(wait: Promise<void>, clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(resolve, ms)
    void wait.finally(() => {
      timer.cancel()
      resolve()
    })
  })
}
