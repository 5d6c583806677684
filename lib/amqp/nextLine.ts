import { setMaxListeners } from 'node:events'
import { pause } from '../clock.js'
import { BrokerError } from '../errors.js'
import { type Deferred, deferred } from '../listeners.js'
import type { Clock, PublishTries } from '../ports.js'
import type { PublishLine } from './publishLine.js'

/**
 * The shortest pause between two attempts to connect that messages ask for: a thousand messages must not cause a
 * thousand attempts.
 */
const SHORTEST_PAUSE_MS = 100

/** The connection that provides lines. */
interface Source {
  /** Resumes the attempts to connect, if they have stopped. */
  start(): Promise<void>
  /** Makes the next attempt at once. */
  retryNow(): void
}

/** The line through which messages leave at present, and the callers that wait for the next one. */
export class NextLine {
  private line: PublishLine | null = null
  /** Set while a caller waits for the next line, however long that takes. */
  private next: Deferred<PublishLine> | null = null
  /** Set while a caller waits for the next attempt to connect, whatever its result. */
  private attempt: Deferred<PublishLine> | null = null
  private failure: Error | null = null
  private failedAt = Number.NEGATIVE_INFINITY
  private readonly stopping = new AbortController()

  constructor(
    private readonly source: Source,
    private readonly clock: Clock,
  ) {}

  /** The present line; null without one. */
  get present(): PublishLine | null {
    return this.failure || !this.line || this.line.epoch.ended.aborted ? null : this.line
  }

  /** Whether no line will follow. */
  get isOver(): boolean {
    return this.failure !== null
  }

  /** @param line null once it is lost */
  set(line: PublishLine | null): void {
    this.line = line
    if (line) this.settle((waiting) => waiting.resolve(line))
  }

  /** Reports a failed attempt to connect; others follow. */
  failed(error: Error): void {
    this.failedAt = this.clock.monotonic()
    this.attempt?.reject(away(error))
    this.attempt = null
  }

  /** Reports that no attempt follows until somebody waits again. */
  rest(error: Error): void {
    this.failedAt = this.clock.monotonic()
    this.settle((waiting) => waiting.reject(away(error)))
  }

  /** Reports that no attempt will ever follow. */
  end(error: Error): void {
    this.failure ??= error
    this.stopping.abort()
    this.settle((waiting) => waiting.reject(error))
  }

  /**
   * The present line, or the next one.
   * @param signal ends the wait
   * @param tries ends it, too; without it only the end of the connection does
   * @throws BrokerError
   */
  async get(signal?: AbortSignal, tries?: PublishTries): Promise<PublishLine> {
    for (;;) {
      if (this.failure) throw this.failure
      if (this.present) return this.present
      if (signal?.aborted) throw givenUp(signal)
      const waiting = tries ? this.nextAttempt() : this.nextLine()
      try {
        return await (signal ? unlessAborted(waiting, signal) : waiting)
      } catch (thrown) {
        if (!tries || this.failure || signal?.aborted) throw thrown
        await this.again(tries, thrown as Error)
      }
    }
  }

  /** Waits until the next try is due. @throws what `tries` throws when there is to be none */
  async again(tries: PublishTries, error: Error): Promise<void> {
    await tries.next(error, this.stopping.signal)
    const left = this.failedAt + SHORTEST_PAUSE_MS - this.clock.monotonic()
    if (left > 0 && !this.failure) await pause(this.clock, left)
  }

  private nextLine(): Promise<PublishLine> {
    this.next ??= waitedFor()
    void this.source.start()
    return this.next.promise
  }

  private nextAttempt(): Promise<PublishLine> {
    this.attempt ??= waitedFor()
    void this.source.start()
    this.source.retryNow()
    return this.attempt.promise
  }

  private settle(how: (waiting: Deferred<PublishLine>) => void): void {
    const { attempt, next } = this
    this.attempt = null
    this.next = null
    for (const waiting of [next, attempt]) if (waiting) how(waiting)
  }
}

function waitedFor(): Deferred<PublishLine> {
  const waiting = deferred<PublishLine>()
  // All waiting callers may have given up before it fails.
  waiting.promise.catch(() => undefined)
  return waiting
}

/** A wait that ends when the signal is aborted. The signal may live much longer, and must not keep a reference to it. */
function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(givenUp(signal))
    // A thousand messages may wait on the signal of one worker; that is not a leak.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', giveUp, { once: true })
    const leave = (): void => signal.removeEventListener('abort', giveUp)
    wait.finally(leave).then(resolve, reject)
  })
}

function givenUp({ reason }: AbortSignal): BrokerError {
  return new BrokerError('gave up waiting for the broker', { cause: reason })
}

function away(cause: Error): BrokerError {
  return new BrokerError(`the broker can't be reached: ${cause.message}`, { cause })
}
