import { Holds, type HoldsOptions } from './holds.js'
import type { Lanes } from './lanes.js'
import type { Request } from './request.js'

export interface TurnsOptions extends HoldsOptions {
  readonly lanes: Lanes<Request>
  /** Gets those whose turn it is now, the one delivered first first. */
  onTurn(requests: readonly Request[]): void
}

/** Whose turn it is in the order of the keys: who has a place, who waits for which, and how much and how long. */
export class Turns {
  private readonly holds: Holds
  /** Over, but for their places, which they keep until their settlement is written. */
  private readonly ending = new Set<Request>()

  constructor(private readonly options: TurnsOptions) {
    this.holds = new Holds(options)
  }

  /** Takes the last place of the request's key. @returns whether it is its turn at once; if not it is parked until then */
  enter(request: Request): boolean {
    const { lanes, state } = this.options
    if (request.key === null || lanes.enter(request.key, request)) return true
    this.holds.add(request, request.key)
    state.move(request, 'parked', 'order')
    return false
  }

  /** The request waits for its turn no longer; its place it keeps. */
  endWait(request: Request): void {
    if (request.parkedFor === 'order' && request.key !== null) this.holds.remove(request, request.key)
  }

  /** Gives the request's place up: those behind it may go. */
  leave(request: Request): void {
    this.turn(this.options.lanes.leave(request))
  }

  /** Keeps the request's place taken when it has gone, until `unblock`. */
  block(request: Request): void {
    this.options.lanes.block(request)
  }

  /** As `leave`, once its settlement is written: acknowledgements of one key leave in its order. */
  leaveAfter(request: Request, written: Promise<unknown> | null): void {
    if (!written || !request.place) {
      this.leave(request)
      return
    }
    this.ending.add(request)
    void written.then(() => {
      this.ending.delete(request)
      this.leave(request)
    })
  }

  /** Opens what a failure has shut. @returns whether it was shut */
  unblock(key: string): boolean {
    const freed = this.options.lanes.unblock(key)
    if (freed) this.turn(freed)
    return freed !== null
  }

  /** All that may not go before what runs, or is yet to be settled, has gone. */
  get held(): ReadonlySet<Request> {
    const { lanes, state } = this.options
    return new Set(lanes.behind([...state.running, ...this.ending]))
  }

  /** Warns no more of what waits long: the worker is about to end. */
  stop(): void {
    this.holds.stop()
  }

  private turn(freed: readonly Request[]): void {
    this.options.onTurn(freed.filter(({ parkedFor }) => parkedFor === 'order'))
  }
}
