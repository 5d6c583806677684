import type { WatchedBreaker } from '../breaker.js'
import { ConfigurationError } from '../errors.js'
import { nearest } from '../settings/nearest.js'
import type { Request } from './request.js'

/** A breaker that tasks wait for. */
interface Watch {
  readonly breaker: WatchedBreaker
  /** The only request that may go while the breaker is half open. */
  probe: Request | null
}

interface PausingTask {
  readonly name: string
  readonly options: { readonly pauseWhileOpen?: string | readonly string[] }
}

export interface PausesOptions {
  readonly breakers: { get(name: string): WatchedBreaker | null } & Iterable<WatchedBreaker>
  readonly tasks: Iterable<PausingTask>
  /** Every request that was received and isn't done, in the order of arrival. */
  readonly requests: Iterable<Request>
  /** Called with a request that has to wait. */
  onPaused(request: Request): void
  /** Called with a request that no longer waits. */
  onTurn(request: Request): void
}

/**
 * Makes tasks with `pauseWhileOpen` wait while a service that they depend on is unavailable. While a breaker is half
 * open one of them goes at a time, and the next one when that has ended without an answer from the breaker. Costs
 * nothing for other tasks.
 */
export class Pauses {
  private readonly watches = new Map<string, readonly Watch[]>()
  /** In the order of arrival; a set, so that one that expires can leave from the middle. */
  private readonly waiting = new Set<Request>()
  private readonly leave: Array<() => void> = []
  private readonly all: readonly Watch[]
  private isReleasing = false
  private isDue = false

  /**
   * Names are checked here, the first place where all are known: tasks and breakers are defined in any order, in
   * modules that may wait for each other, and a process that only sends need not load the breakers.
   * @throws ConfigurationError with each name in a task's `pauseWhileOpen` that is not a breaker of the app
   */
  constructor(private readonly options: PausesOptions) {
    const byName = new Map<string, Watch>()
    const faults: string[] = []
    for (const { name: task, options: wanted } of options.tasks) {
      const names = [wanted.pauseWhileOpen ?? []].flat()
      const watches: Watch[] = []
      for (const name of new Set(names)) {
        const known = byName.get(name)
        const breaker = options.breakers.get(name)
        if (!breaker) faults.push(nameless(task, name, [...options.breakers]))
        else watches.push(known ?? this.watch(breaker, byName))
      }
      if (watches.length > 0) this.watches.set(task, watches)
    }
    this.all = [...byName.values()]
    if (faults.length > 0) {
      this.stop()
      throw new ConfigurationError(faults)
    }
  }

  /**
   * Name of a half-open breaker whose one request has not shown yet how the service is; that request may still wait for
   * a slot.
   */
  get tried(): string | null {
    for (const { breaker, probe } of this.all) if (probe && breaker.state === 'half-open') return breaker.name
    return null
  }

  /** @returns whether the request may go on now; if not it waits here for its turn */
  admit(request: Request): boolean {
    if (this.watches.size === 0) return true
    const watches = this.watches.get(request.task.name)
    if (!watches || take(watches, request)) return true
    this.waiting.add(request)
    this.options.onPaused(request)
    return false
  }

  /** Removes a request that has ended, or that now waits for something else. */
  remove(request: Request): void {
    if (this.watches.size === 0) return
    this.waiting.delete(request)
    let wasProbe = false
    for (const watch of this.watches.get(request.task.name) ?? []) {
      if (watch.probe !== request) continue
      watch.probe = null
      wasProbe = true
    }
    if (wasProbe) this.release()
  }

  /** Stops following the breakers; waiting requests stay where they are. */
  stop(): void {
    this.waiting.clear()
    for (const leave of this.leave.splice(0)) leave()
  }

  private watch(breaker: WatchedBreaker, byName: Map<string, Watch>): Watch {
    const watch: Watch = { breaker, probe: null }
    byName.set(breaker.name, watch)
    this.leave.push(
      breaker.onChange((state) => {
        // A probe may run on for long after its call has shown how the service is.
        watch.probe = null
        if (state === 'open') this.pauseReady()
        else this.release()
      }),
    )
    return watch
  }

  /** Parks requests that have no slot yet. */
  private pauseReady(): void {
    for (const request of this.options.requests) if (request.state === 'ready') this.admit(request)
  }

  /** One that goes may give its try on at once, for example to wait for its rate: that is no reason to recurse. */
  private release(): void {
    this.isDue = true
    if (this.isReleasing) return
    this.isReleasing = true
    try {
      while (this.isDue) {
        this.isDue = false
        for (const request of this.waiting) {
          if (!take(this.watches.get(request.task.name) ?? [], request)) continue
          this.waiting.delete(request)
          this.options.onTurn(request)
        }
      }
    } finally {
      this.isReleasing = false
    }
  }
}

/** Returns whether every breaker lets the request go, as its probe where one is half open. */
function take(watches: readonly Watch[], request: Request): boolean {
  const may = watches.every(
    ({ breaker: { state }, probe }) => state === 'closed' || (state === 'half-open' && (probe ?? request) === request),
  )
  if (!may) return false
  for (const watch of watches) if (watch.breaker.state === 'half-open') watch.probe = request
  return true
}

function nameless(task: string, name: string, breakers: readonly WatchedBreaker[]): string {
  const known = breakers.map((breaker) => breaker.name)
  const meant = nearest(name, known)
  const remedy =
    meant === undefined ? `define it with app.breaker(${JSON.stringify(name)}, ...)` : `did you mean ${meant}?`
  return `task ${task}: pauseWhileOpen names ${JSON.stringify(name)}, but there is no such breaker: define it with app.breaker; ${remedy}`
}
