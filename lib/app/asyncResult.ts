import { CeleriacError } from '../errors.js'
import type { Backend, Clock, Timer } from '../ports.js'
import { decodeException, type RemoteError } from '../protocol/exception.js'
import {
  EXCEPTION_STATES,
  PROPAGATE_STATES,
  READY_STATES,
  type ResultMeta,
  type ResultTuple,
  taskTuple,
} from '../protocol/result.js'
import { GET_OPTIONS } from './callOptionTables.js'
import { checkOptions } from './options.js'

/** The task wasn't ready in time; it may still become so. */
export class TimeoutError extends CeleriacError {
  /** The module of its class in Python. */
  static readonly excModule = 'celery.exceptions'

  constructor(id: string, seconds: number) {
    super('CELERIAC_RESULT_TIMEOUT', `The operation timed out: no result of task ${id} within ${seconds}s`, {
      retriable: true,
      facts: { id },
    })
  }
}

/** How `AsyncResult.get` waits. */
export interface GetOptions {
  /** Seconds to wait; for ever if not given. */
  readonly timeout?: number
  /** Seconds between two looks at the backend, beside what it tells by itself; none if not given. */
  readonly interval?: number
  /** False: a failure is returned as an error instead of thrown. */
  readonly propagate?: boolean
}

/** Where a result is asked for. */
export type ResultSource = Pick<Backend, 'get' | 'subscribe' | 'forget'>

/** What becomes of a task that was sent. Mirrors Celery's `AsyncResult`; what is a property there and asks the backend is a method here. */
export class AsyncResult<T = unknown> {
  private final: ResultMeta | null = null

  constructor(
    /** The id of the task. */
    readonly id: string,
    private readonly backend: ResultSource,
    private readonly clock: Clock,
    /** The result of the task before it in a chain; null without one. */
    readonly parent: AsyncResult | null = null,
  ) {}

  /**
   * Waits until the task is ready, and returns what it returned.
   * @throws TypeError for a number in place of the options, and for a wrong option; RemoteError with the name and text of the task's exception; TimeoutError; CeleriacError if the backend can't be asked
   */
  async get(options: GetOptions = {}): Promise<T> {
    if (typeof options === 'number') {
      throw new TypeError(`get(${options}): write get({ timeout: ${options} }), where the timeout is in seconds`)
    }
    checkOptions('get', options, GET_OPTIONS)
    const { timeout, interval, propagate = true } = options
    const meta = await this.wait(timeout, interval)
    if (propagate && PROPAGATE_STATES.has(meta.status)) throw decodeException(meta.result)
    return resultOf(meta) as T
  }

  /** Celery's word for where the task is; PENDING also for an id that nobody knows. */
  async state(): Promise<string> {
    return (await this.meta())?.status ?? 'PENDING'
  }

  /** Whether it has succeeded, failed, or was revoked. */
  async ready(): Promise<boolean> {
    return READY_STATES.has(await this.state())
  }

  /** Whether its state is SUCCESS. */
  async successful(): Promise<boolean> {
    return (await this.state()) === 'SUCCESS'
  }

  /** Whether its state is FAILURE. */
  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE'
  }

  /** What it returned, the error that it failed with, or what it last told with `updateState`; null before. Doesn't wait. */
  async result(): Promise<T | RemoteError | null> {
    const meta = await this.meta()
    return meta === null ? null : (resultOf(meta) as T | RemoteError)
  }

  /** The text of a failure's traceback. */
  async traceback(): Promise<string | null> {
    return (await this.meta())?.traceback ?? null
  }

  /** Removes the result from the backend. */
  async forget(): Promise<void> {
    this.final = null
    await this.backend.forget(this.id)
  }

  /** Celery's tuple form, which is also what a task that returns it stores. */
  toJSON(): ResultTuple {
    return taskTuple(this.id, this.parent?.toJSON() ?? null)
  }

  private async meta(): Promise<ResultMeta | null> {
    if (this.final) return this.final
    const meta = await this.backend.get(this.id)
    return meta === null ? null : this.keep(meta)
  }

  /** A final state stays, so it is asked for once. */
  private keep(meta: ResultMeta): ResultMeta {
    if (READY_STATES.has(meta.status)) this.final = meta
    return meta
  }

  private async wait(timeout: number | undefined, interval: number | undefined): Promise<ResultMeta> {
    if (this.final) return this.final
    const timers: { deadline?: Timer; next?: Timer } = {}
    let leave: (() => Promise<void>) | undefined
    let ended = false
    try {
      return await new Promise<ResultMeta>((resolve, reject) => {
        const heard = (meta: ResultMeta | null): void => {
          if (meta && READY_STATES.has(meta.status)) resolve(this.keep(meta))
        }
        const look = async (): Promise<void> => {
          heard(await this.backend.get(this.id))
          if (interval !== undefined && !ended)
            timers.next = this.clock.setTimer(() => void look().catch(reject), interval * 1000)
        }
        const begin = async (): Promise<void> => {
          leave = await this.backend.subscribe(this.id, heard)
          if (ended) await leave()
          else await look()
        }
        if (timeout !== undefined) {
          timers.deadline = this.clock.setTimer(() => reject(new TimeoutError(this.id, timeout)), timeout * 1000)
        }
        begin().catch(reject)
      })
    } finally {
      ended = true
      timers.deadline?.cancel()
      timers.next?.cancel()
      // The result is known or given up; that the backend can't be told to say no more doesn't change it.
      await leave?.().catch(() => undefined)
    }
  }
}

function resultOf(meta: ResultMeta): unknown {
  return EXCEPTION_STATES.has(meta.status) && meta.result !== null ? decodeException(meta.result) : meta.result
}
