import type { Clock } from '../ports.js'
import { decodeException, type RemoteError } from '../protocol/exception.js'
import {
  EXCEPTION_STATES,
  PROPAGATE_STATES,
  READY_STATES,
  type ResultMeta,
  type ResultTuple,
  taskTuple,
} from '../protocol/result.js'
import { GET_OPTIONS, REVOKE_OPTIONS, STATES_OPTIONS } from './callOptionTables.js'
import { checkOptions, type OptionTable } from './options.js'
import type { AnyResult, GetOptions, ResultHome, RevokeOptions, StatesOptions } from './result.js'
import { type ResultSource, watchStates } from './stateWatch.js'

/** A state of a task, as `AsyncResult.states` yields it. */
export interface TaskState<T = unknown> {
  /** Celery's name of the state (PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED), or a state of the task's own. */
  readonly state: string
  /** Whether this is the final state. */
  readonly ready: boolean
  /** What the task passed to `updateState` with the state, or why it is retried; null if the task is ready. */
  readonly meta: unknown
  /** What the task returned, or the error that it failed with; null unless it is ready. */
  readonly result: T | RemoteError | null
}

/**
 * The result of a task that was sent. Mirrors Celery's `AsyncResult`; properties there that ask the backend are methods
 * here.
 */
export class AsyncResult<T = unknown> implements AnyResult<T> {
  private final: ResultMeta | null = null

  /** @internal */
  constructor(
    /** The id of the task. */
    readonly id: string,
    private readonly backend: ResultSource | ResultHome,
    private readonly clock: Clock,
    /** The result of the preceding step of a workflow, a task or a group; null if there is none. */
    readonly parent: AnyResult | null = null,
  ) {}

  /**
   * Waits until the task is ready, and returns its result.
   * @throws TypeError for a number instead of options, and for a wrong option; RemoteError with the name and text of
   *   the task's exception; TimeoutError; the reason of the signal; CeleriacError if the backend can't be asked
   */
  async get(options: GetOptions = {}): Promise<T> {
    checkWait('get', options, GET_OPTIONS)
    const { propagate = true } = options
    const meta = await this.wait(options)
    if (propagate && PROPAGATE_STATES.has(meta.status)) throw decodeException(meta.result)
    return resultOf(meta) as T
  }

  /**
   * Each new state of the task until it is ready, beginning with the present one:
   * `for await (const { state, meta } of result.states())`. The backend pushes states as they come; if a task sends
   * them faster than they are read, the last 1,000 are kept. A failure is not thrown.
   * @throws TypeError for a wrong option, at once; TimeoutError; the reason of the signal; CeleriacError if the backend
   *   can't be asked
   */
  states(options: StatesOptions = {}): AsyncGenerator<TaskState<T>, void, void> {
    checkWait('states', options, STATES_OPTIONS)
    return this.follow(options)
  }

  /** Celery's name for the state of the task; PENDING also for an unknown id. */
  async state(): Promise<string> {
    return (await this.meta())?.status ?? 'PENDING'
  }

  /** Whether the task has succeeded, failed, or was revoked. */
  async ready(): Promise<boolean> {
    return READY_STATES.has(await this.state())
  }

  /** Whether the task's state is SUCCESS. */
  async successful(): Promise<boolean> {
    return (await this.state()) === 'SUCCESS'
  }

  /** Whether the task's state is FAILURE. */
  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE'
  }

  /**
   * The task's return value, the error that it failed with, or what it last passed to `updateState`; null before.
   * Doesn't wait.
   */
  async result(): Promise<T | RemoteError | null> {
    const meta = await this.meta()
    return meta === null ? null : (resultOf(meta) as T | RemoteError)
  }

  /** Does what `result` does: Celery has both names. */
  info(): Promise<T | RemoteError | null> {
    return this.result()
  }

  /** The results of the tasks and groups that the task has sent, as far as they are known. */
  async children(): Promise<readonly AnyResult[]> {
    const children = (await this.meta())?.children ?? []
    return children.map((tuple) => this.home.from(tuple))
  }

  /**
   * This result and all its descendants, each with its value: `for await (const [result, value] of result.collect())`.
   * A result comes before those of what its task has sent. Mirrors Celery's `collect`, except that each result comes
   * once.
   * @param options for each of the results
   * @throws TypeError for a wrong option, at once; as `get`
   */
  collect(options: GetOptions = {}): AsyncGenerator<readonly [result: AnyResult, value: unknown], void, void> {
    checkWait('collect', options, GET_OPTIONS)
    return collect(this, options)
  }

  /** The traceback of a failure, as text. */
  async traceback(): Promise<string | null> {
    return (await this.meta())?.traceback ?? null
  }

  /** Removes the result from the backend. */
  async forget(): Promise<void> {
    this.final = null
    await this.backend.forget(this.id)
  }

  /**
   * Keeps the task from running, or with `terminate` also stops it while it runs. Resolves once the message to the
   * workers is sent; they may not have received it yet.
   * @throws TypeError for a wrong option; BrokerError
   */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    checkRevoke(options)
    await this.home.revoke([this.id], options)
  }

  /** Celery's tuple form, which is also stored when a task returns this result. */
  toJSON(): ResultTuple {
    return taskTuple(this.id, this.parent?.toJSON() ?? null)
  }

  private get home(): ResultHome {
    const { backend } = this
    if (isHome(backend)) return backend
    throw new TypeError(`the result of ${this.id} belongs to no app`)
  }

  private async meta(): Promise<ResultMeta | null> {
    if (this.final) return this.final
    const meta = await this.backend.get(this.id)
    return meta === null ? null : this.keep(meta)
  }

  /** A final state never changes, so it is fetched only once. */
  private keep(meta: ResultMeta): ResultMeta {
    if (READY_STATES.has(meta.status)) this.final = meta
    return meta
  }

  private async wait(options: StatesOptions): Promise<ResultMeta> {
    if (this.final) return this.final
    for await (const meta of watchStates(this.id, this.backend, this.clock, options)) {
      if (meta) this.keep(meta)
    }
    // The last state is one that is ready.
    return this.final as unknown as ResultMeta
  }

  private async *follow(options: StatesOptions): AsyncGenerator<TaskState<T>, void, void> {
    if (this.final) return void (yield stateOf(this.final))
    for await (const meta of watchStates(this.id, this.backend, this.clock, options)) {
      yield stateOf(meta && this.keep(meta))
    }
  }
}

/** @throws TypeError for a number instead of options, and for a wrong option */
export function checkWait(call: string, options: unknown, table: OptionTable): void {
  if (typeof options === 'number') {
    throw new TypeError(`${call}(${options}): write ${call}({ timeout: ${options} }), where the timeout is in seconds`)
  }
  checkOptions(call, options, table)
}

function isHome(source: ResultSource | ResultHome): source is ResultHome {
  return 'from' in source
}

async function* collect(
  first: AnyResult,
  options: GetOptions,
): AsyncGenerator<readonly [AnyResult, unknown], void, void> {
  const seen = new Set([first.id])
  const left = [first]
  for (let result = left.shift(); result; result = left.shift()) {
    yield [result, await result.get(options)]
    for (const child of await result.children()) {
      if (!seen.has(child.id)) left.push(child)
      seen.add(child.id)
    }
  }
}

/** @throws TypeError */
export function checkRevoke(options: RevokeOptions): void {
  checkOptions('revoke', options, REVOKE_OPTIONS)
}

function stateOf<T>(meta: ResultMeta | null): TaskState<T> {
  if (meta === null) return { state: 'PENDING', ready: false, meta: null, result: null }
  const { status: state } = meta
  return READY_STATES.has(state)
    ? { state, ready: true, meta: null, result: resultOf(meta) as T | RemoteError }
    : { state, ready: false, meta: resultOf(meta), result: null }
}

function resultOf(meta: ResultMeta): unknown {
  return EXCEPTION_STATES.has(meta.status) && meta.result !== null ? decodeException(meta.result) : meta.result
}
