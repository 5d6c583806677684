import { BackendError } from '../backends/backendError.js'
import { systemClock } from '../clock.js'
import type { Backend, GroupStore } from '../ports.js'
import type { ResultMeta, ResultTuple } from '../protocol/result.js'
import { AsyncResult } from './asyncResult.js'
import { GroupResult } from './groupResult.js'
import type { Outlet } from './outlet.js'
import type { AnyResult, ResultHome, RevokeOptions } from './result.js'

/** The results of an app, read through its current outlet, since a closed app opens another one. */
export class Results implements ResultHome {
  /** Called when an outlet is closed on which somebody waits for a result: nothing comes there any more. */
  private readonly waiting = new WeakMap<Outlet, Set<(error: Error) => void>>()

  constructor(private readonly outlet: () => Outlet) {}

  get(id: string): Promise<ResultMeta | null> {
    return this.backend.get(id)
  }

  async subscribe(
    id: string,
    onMeta: (meta: ResultMeta) => void,
    onEnd: (error: Error) => void,
  ): Promise<() => Promise<void>> {
    const outlet = this.outlet()
    const waiting = this.waiting.get(outlet) ?? new Set()
    this.waiting.set(outlet, waiting)
    waiting.add(onEnd)
    const unsubscribe = await outlet.backend.subscribe(id, onMeta).catch((thrown) => {
      waiting.delete(onEnd)
      throw thrown
    })
    return async () => {
      waiting.delete(onEnd)
      await unsubscribe()
    }
  }

  /** Fails whatever still waits for a result on an outlet that is being closed. */
  end(outlet: Outlet): void {
    const error = new BackendError('the app was closed while its result was waited for', { retriable: false })
    for (const onEnd of this.waiting.get(outlet) ?? []) onEnd(error)
  }

  forget(id: string): Promise<void> {
    return this.backend.forget(id)
  }

  /** The result of a task. */
  task<Result = unknown>(id: string, parent: AnyResult | null = null): AsyncResult<Result> {
    return new AsyncResult<Result>(id, this, systemClock, parent)
  }

  /** Parents are built in a loop: a chain has as many as it has steps. */
  from(tuple: ResultTuple): AnyResult {
    const line: ResultTuple[] = []
    for (let at: ResultTuple | null = tuple; at !== null; at = at[0][1]) line.push(at)
    return line.reduceRight<AnyResult | null>((parent, each) => this.one(each, parent), null) as AnyResult
  }

  async revoke(ids: readonly string[], { signal = 'SIGTERM', terminate = false }: RevokeOptions): Promise<void> {
    const outlet = this.outlet()
    if (!outlet.tellWorkers) throw new TypeError('revoke: workers cannot be told, since nothing is sent here')
    await outlet.tellWorkers('revoke', { task_id: ids, terminate, signal })
  }

  async groups(): Promise<GroupStore> {
    const outlet = this.outlet()
    // A process may restore a group before it has done anything else.
    await outlet.loaded?.()
    const { groups, name } = outlet.backend
    if (groups) return groups
    throw new BackendError(`The result backend ${name} keeps no groups: set result_backend to redis://`, {
      retriable: false,
    })
  }

  private one([[id], children]: ResultTuple, parent: AnyResult | null): AnyResult {
    if (children === null) return this.task(id, parent)
    const members = children.map((child) => this.from(child))
    return new GroupResult(id, members, this, systemClock, parent)
  }

  private get backend(): Backend {
    return this.outlet().backend
  }
}
