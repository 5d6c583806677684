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

/** A state of a task, as `AsyncResult.states` tells it. */
export interface TaskState<T = unknown> {
  /** Celery's word for it (PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED), or one of the task's own. */
  readonly state: string
  /** Whether it is the last one. */
  readonly ready: boolean
  /** What the task told with it (`updateState`), or why it is tried again; null for one that is ready. */
  readonly meta: unknown
  /** What the task returned, or the error that it failed with; null unless it is ready. */
  readonly result: T | RemoteError | null
}

/** What becomes of a task that was sent. Mirrors Celery's `AsyncResult`; what is a property there and asks the backend is a method here. */
export class AsyncResult<T = unknown> implements AnyResult<T> {
  private final: ResultMeta | null = null

  /** @internal */
  constructor(
    /** The id of the task. */
    readonly id: string,
    private readonly backend: ResultSource | ResultHome,
    private readonly clock: Clock,
    /** The result of what came before it in a workflow: of a task, or of a group; null without one. */
    readonly parent: AnyResult | null = null,
  ) {}

  /**
   * Waits until the task is ready, and returns what it returned.
   * @throws TypeError for a number in place of the options, and for a wrong option; RemoteError with the name and text of the task's exception; TimeoutError; the reason of the signal; CeleriacError if the backend can't be asked
   */
  async get(options: GetOptions = {}): Promise<T> {
    checkWait('get', options, GET_OPTIONS)
    const { propagate = true } = options
    const meta = await this.wait(options)
    if (propagate && PROPAGATE_STATES.has(meta.status)) throw decodeException(meta.result)
    return resultOf(meta) as T
  }

  /**
   * Each new state of the task until it is ready, beginning with the present one: `for await (const { state, meta } of result.states())`. The
   * backend tells them as they come; of what a task tells faster than it is read, the last 1,000 are kept. A failure is not thrown.
   * @throws TypeError for a wrong option, at once; TimeoutError; the reason of the signal; CeleriacError if the backend can't be asked
   */
  states(options: StatesOptions = {}): AsyncGenerator<TaskState<T>, void, void> {
    checkWait('states', options, STATES_OPTIONS)
    return this.follow(options)
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

  /** Does what `result` does: Celery has both names. */
  info(): Promise<T | RemoteError | null> {
    return this.result()
  }

  /** What the task has sent, as far as it is known: the results of tasks and of groups. */
  async children(): Promise<readonly AnyResult[]> {
    const children = (await this.meta())?.children ?? []
    return children.map((tuple) => this.home.from(tuple))
  }

  /**
   * This result, and those of all that has come of it, each with what it gave: `for await (const [result, value] of result.collect())`. What a
   * task has sent comes after it. Mirrors Celery's `collect`, but that each result comes once.
   * @param options for each of them
   * @throws TypeError for a wrong option, at once; as `get`
   */
  collect(options: GetOptions = {}): AsyncGenerator<readonly [result: AnyResult, value: unknown], void, void> {
    checkWait('collect', options, GET_OPTIONS)
    return collect(this, options)
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

  /**
   * Keeps the task from running, or ends it with `terminate`. Resolves once the workers are told; they may not have heard of it yet.
   * @throws TypeError for a wrong option; BrokerError
   */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    checkRevoke(options)
    await this.home.revoke([this.id], options)
  }

  /** Celery's tuple form, which is also what a task that returns it stores. */
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

  /** A final state stays, so it is asked for once. */
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

/** @throws TypeError for a number in place of the options, and for a wrong option */
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
