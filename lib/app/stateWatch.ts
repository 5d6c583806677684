import { setMaxListeners } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import type { Backend, Clock, Timer } from '../ports.js'
import { READY_STATES, type ResultMeta } from '../protocol/result.js'
import { TimeoutError } from './timeoutError.js'

/** The part of a backend that results are read from. */
export interface ResultSource extends Pick<Backend, 'get' | 'forget'> {
  /**
   * As a backend's.
   * @param onEnd called if nothing comes any more, since the app was closed
   */
  subscribe(id: string, onMeta: (meta: ResultMeta) => void, onEnd: (error: Error) => void): Promise<() => Promise<void>>
}

export interface WatchOptions {
  /** Seconds. */
  readonly timeout?: number | undefined
  /** Seconds. */
  readonly interval?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The most states that wait to be read; a slow reader loses the oldest. */
const MOST_UNREAD = 1000

/**
 * The states of a task, one after another until it is ready: null if nothing is known of the task. The backend pushes
 * them; it is read once, and at each interval if one is given. A state that is received twice is yielded once.
 * @throws TimeoutError; the reason of the signal; what the backend throws
 */
export async function* watchStates(
  id: string,
  source: ResultSource,
  clock: Clock,
  options: WatchOptions,
): AsyncGenerator<ResultMeta | null, void, void> {
  const watch = new StateWatch(id, source, clock, options)
  try {
    watch.begin()
    for (;;) {
      const meta = await watch.next()
      yield meta
      if (isReady(meta)) return
    }
  } finally {
    watch.end()
  }
}

function isReady(meta: ResultMeta | null): boolean {
  return meta !== null && READY_STATES.has(meta.status)
}

class StateWatch {
  private readonly unread: Array<ResultMeta | null> = []
  private failure: { readonly thrown: unknown } | null = null
  private last: ResultMeta | null | undefined
  private heard = 0
  private ended = false
  private wake: () => void = () => undefined
  private leave: (() => Promise<void>) | null = null
  private deadline: Timer | null = null
  private look: Timer | null = null

  constructor(
    private readonly id: string,
    private readonly source: ResultSource,
    private readonly clock: Clock,
    private readonly options: WatchOptions,
  ) {}

  begin(): void {
    const { clock, id } = this
    const { signal, timeout } = this.options
    // One signal may end the waits for any number of results.
    if (signal instanceof EventTarget) setMaxListeners(0, signal)
    if (signal?.aborted) this.fail(signal.reason)
    signal?.addEventListener('abort', this.onAbort)
    if (timeout !== undefined) {
      this.deadline = clock.setTimer(() => this.fail(new TimeoutError(id, timeout)), timeout * 1000)
    }
    if (!this.failure) this.subscribe().catch((thrown) => this.fail(thrown))
  }

  /** States that have been received are yielded before a later error is thrown. */
  async next(): Promise<ResultMeta | null> {
    for (;;) {
      const meta = this.unread.shift()
      if (meta !== undefined) return meta
      if (this.failure) throw this.failure.thrown
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  end(): void {
    this.ended = true
    this.options.signal?.removeEventListener('abort', this.onAbort)
    this.deadline?.cancel()
    this.look?.cancel()
    // The result is known or given up by now: a backend that can't be told, or is silent, doesn't change that.
    void this.leave?.().catch(() => undefined)
  }

  private readonly onAbort = (): void => this.fail(this.options.signal?.reason)

  private async subscribe(): Promise<void> {
    const onMeta = (meta: ResultMeta): void => {
      this.heard++
      this.take(meta)
    }
    const leave = await this.source.subscribe(this.id, onMeta, (error) => this.fail(error))
    if (this.ended) return leave()
    this.leave = leave
    await this.ask()
  }

  private async ask(): Promise<void> {
    const { heard } = this
    const meta = await this.source.get(this.id)
    // If a state was received in the meantime, it is newer than what was read, or what was read will still be received.
    if (heard === this.heard || isReady(meta)) this.take(meta)
    const { interval } = this.options
    // Nor for a reader that has not come back yet: the app may be closed, and to ask would open it again.
    if (interval === undefined || this.ended || this.failure || isReady(this.last ?? null)) return
    this.look = this.clock.setTimer(() => void this.ask().catch((thrown) => this.fail(thrown)), interval * 1000)
  }

  private take(meta: ResultMeta | null): void {
    if (isReady(this.last ?? null) || isSame(meta, this.last)) return
    this.last = meta
    this.unread.push(meta)
    if (this.unread.length > MOST_UNREAD) this.unread.shift()
    this.wake()
  }

  private fail(thrown: unknown): void {
    this.failure ??= { thrown }
    this.deadline?.cancel()
    this.look?.cancel()
    this.wake()
  }
}

function isSame(one: ResultMeta | null, other: ResultMeta | null | undefined): boolean {
  if (one === null || !other) return one === other
  return one.status === other.status && isDeepStrictEqual(one.result, other.result)
}
