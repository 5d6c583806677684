import { LinkedList } from '../containers/linkedList.js'
import { Holds, type HoldsOptions } from './holds.js'
import type { Lanes } from './lanes.js'
import type { Request } from './request.js'

export interface TurnsOptions extends HoldsOptions {
  readonly lanes: Lanes<Request>
  /** Called with the requests whose turn it is now, in the order of delivery. */
  onTurn(requests: readonly Request[]): void
  /** Calls `act`, and gives no slot to any request before it has returned. */
  together(act: () => void): void
}

/** Keeps the order of the keys: which request has a place, which waits for which, and how many wait for how long. */
export class Turns {
  private readonly holds: Holds
  /** Requests that have ended, and keep their places until their settlement is written. */
  private readonly ending = new LinkedList<Request>()

  constructor(private readonly options: TurnsOptions) {
    this.holds = new Holds(options)
  }

  /** Takes the last place of the request's key. @returns whether it is its turn at once; if not it is parked until then */
  enter(request: Request): boolean {
    const { lanes, state } = this.options
    // One that became due while it was being sent on, and comes back from there. A second place would never be left.
    if (request.place !== null) return request.place.closed === 0
    if (request.key === null || lanes.enter(request.key, request)) return true
    this.holds.add(request, request.key)
    state.move(request, 'parked', 'order')
    return false
  }

  /** Ends the request's wait for its turn. It keeps its place. */
  endWait(request: Request): void {
    if (request.parkedFor === 'order' && request.key !== null) this.holds.remove(request, request.key)
  }

  /** Gives up the request's place: those behind it may go. */
  leave(request: Request): void {
    this.turn(this.options.lanes.leave(request))
  }

  /** Keeps the place of a request that leaves, until `unblock`. */
  block(request: Request): void {
    this.options.lanes.block(request)
  }

  /** Gives up the request's place once its settlement is written: acknowledgements of one key leave in its order. */
  leaveAfter(request: Request, written: Promise<unknown> | null): void {
    if (!written || !request.place) {
      this.leave(request)
      return
    }
    const place = this.ending.add(request)
    void written.then(() => {
      this.ending.remove(place)
      this.leave(request)
    })
  }

  /** Opens a lane that a failure has blocked. @returns whether it was blocked */
  unblock(key: string): boolean {
    const freed = this.options.lanes.unblock(key)
    if (freed) this.turn(freed)
    return freed !== null
  }

  /** Requests that may not go before those that run, or are yet to be settled, have gone. */
  get held(): ReadonlySet<Request> {
    const { lanes, state } = this.options
    return new Set(lanes.behind([...state.running, ...this.ending]))
  }

  /** Stops warning of long waits: the worker is about to end. */
  stop(): void {
    this.holds.stop()
  }

  private turn(freed: readonly Request[]): void {
    const { onTurn, together } = this.options
    const next = freed.filter(({ parkedFor }) => parkedFor === 'order')
    // If two slots are free, one of them would go to a later request before the second of these is passed on.
    if (next.length > 1) together(() => onTurn(next))
    else onTurn(next)
  }
}
