import { setMaxListeners } from 'node:events'
import { deferred } from '../listeners.js'
import type { Clock } from '../ports.js'
import type { ResultTuple } from '../protocol/result.js'
import { checkRevoke, checkWait } from './asyncResult.js'
import { GET_OPTIONS } from './callOptionTables.js'
import type { AnyResult, GetOptions, ResultHome, RevokeOptions } from './result.js'
import { TimeoutError } from './timeoutError.js'

/** A member of a group that is ready. */
export interface ReadyMember<Value = unknown> {
  /** The member's position in the group, from 0 on. */
  readonly index: number
  /** The member's return value, or the error that it failed with. */
  readonly value: Value
  /** The member itself. */
  readonly result: AnyResult
}

/** The result of a group that was sent. Mirrors Celery's `GroupResult`. */
export class GroupResult<Results extends readonly unknown[] = readonly unknown[]> implements AnyResult<Results> {
  constructor(
    /** The id of the group. */
    readonly id: string,
    /** The results of the members, in their order. */
    readonly results: readonly AnyResult[],
    private readonly home: ResultHome,
    private readonly clock: Clock,
    /** The result of the preceding step of a workflow; null if there is none. */
    readonly parent: AnyResult | null = null,
  ) {}

  /** The number of members. */
  get length(): number {
    return this.results.length
  }

  /**
   * Waits until all members are ready, and returns their results in the order of the group. Mirrors Celery's `join`.
   * The first failure ends the wait.
   * @throws as `AsyncResult.get`
   */
  async get(options: GetOptions = {}): Promise<Results> {
    checkWait('get', options, GET_OPTIONS)
    const values: unknown[] = new Array(this.results.length).fill(null)
    for await (const { index, value } of this.iterate(options)) values[index] = value
    return values as unknown as Results
  }

  /** Does what `get` does. */
  join(options: GetOptions = {}): Promise<Results> {
    return this.get(options)
  }

  /**
   * The members as they become ready: `for await (const { index, value } of result.iterate())`. Mirrors `iter_native`.
   * The timeout is for all members together.
   * @throws TypeError for a wrong option, at once; as `AsyncResult.get`
   */
  iterate(options: GetOptions = {}): AsyncGenerator<ReadyMember<Results[number]>, void, void> {
    checkWait('iterate', options, GET_OPTIONS)
    return this.follow(options)
  }

  /** Whether all members are ready. */
  async ready(): Promise<boolean> {
    return (await this.count((result) => result.ready())) === this.length
  }

  /** Whether all members have succeeded. */
  async successful(): Promise<boolean> {
    return (await this.count((result) => result.successful())) === this.length
  }

  /** Whether a member has failed. */
  async failed(): Promise<boolean> {
    return (await this.count((result) => result.failed())) > 0
  }

  /** Whether a member isn't ready yet. */
  async waiting(): Promise<boolean> {
    return !(await this.ready())
  }

  /** How many members have succeeded. */
  completedCount(): Promise<number> {
    return this.count((result) => result.successful())
  }

  /** The results of the members. */
  async children(): Promise<readonly AnyResult[]> {
    return this.results
  }

  /** Removes the results of all members from the backend, but not what `save` has stored. */
  async forget(): Promise<void> {
    await Promise.all(this.results.map((result) => result.forget()))
  }

  /**
   * Keeps all members from running, or with `terminate` also stops those that run. Resolves once the message to the
   * workers is sent.
   * @throws TypeError for a wrong option; BrokerError
   */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    checkRevoke(options)
    await this.home.revoke(idsOf(this), options)
  }

  /**
   * Stores the ids of the group and its members in the backend, for `app.restoreGroup` and Python's
   * `GroupResult.restore`. @throws BackendError
   */
  async save(): Promise<void> {
    await (await this.home.groups()).save(this.id, this.toJSON())
  }

  /** Removes what `save` has stored. @throws BackendError */
  async delete(): Promise<void> {
    await (await this.home.groups()).delete(this.id)
  }

  /** Celery's tuple form. */
  toJSON(): ResultTuple {
    return [[this.id, this.parent?.toJSON() ?? null], this.results.map((result) => result.toJSON())]
  }

  private async count(is: (result: AnyResult) => Promise<boolean>): Promise<number> {
    return (await Promise.all(this.results.map(is))).filter(Boolean).length
  }

  /** Waits for all members at once; when it ends early, the remaining waits end too. */
  private async *follow(options: GetOptions): AsyncGenerator<ReadyMember<Results[number]>, void, void> {
    const { timeout, ...others } = options
    const end = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal
    // Each member adds a listener.
    setMaxListeners(0, signal)
    const late =
      timeout === undefined
        ? null
        : this.clock.setTimer(() => end.abort(new TimeoutError(this.id, timeout)), timeout * 1000)
    const done: Array<() => ReadyMember<Results[number]>> = []
    let more = deferred<void>()
    const add = (take: () => ReadyMember<Results[number]>): void => {
      done.push(take)
      more.resolve()
    }
    for (const [index, result] of this.results.entries()) {
      result.get({ ...others, signal }).then(
        (value) => add(() => ({ index, value: value as Results[number], result })),
        (thrown) =>
          add(() => {
            throw thrown
          }),
      )
    }
    try {
      for (let left = this.results.length; left > 0; left--) {
        while (done.length === 0) {
          await more.promise
          more = deferred()
        }
        yield (done.shift() as () => ReadyMember<Results[number]>)()
      }
    } finally {
      late?.cancel()
      end.abort(new Error('nobody waits for the group any more'))
    }
  }
}

/** The ids of all tasks in a group, including those of nested groups. */
function idsOf(group: GroupResult): string[] {
  return group.results.flatMap((result) => (result instanceof GroupResult ? idsOf(result) : [result.id]))
}
