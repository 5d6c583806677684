import { containersOf } from '../app/orderKey.js'
import type { ListNode } from '../containers/linkedList.js'

/** A request, as an entry of a lane. */
export interface Occupant<R> {
  readonly delivery: { readonly sequence: number }
  place: Place<R> | null
}

/** The wait of a request for its turn. */
export interface Wait<R> {
  readonly request: R
  /** Monotonic milliseconds. */
  readonly since: number
}

/** The FIFO of one key: its own places, and between them, in batches, the places of keys that it contains. */
interface Lane<R> {
  readonly key: string
  first: Turn<R> | null
  last: Turn<R> | null
}

/**
 * One turn in a lane: a place of the lane's own key, or a batch of places of contained keys, which may all go together.
 */
type Turn<R> = Place<R> | Batch<R>

/** A request's place in the lane of its own key. */
export class Place<R> {
  previous: Turn<R> | null = null
  next: Turn<R> | null = null
  /** True if nothing in this lane is before it. */
  open = false
  /** Number of lanes, of its own key and of keys that contain it, in which its turn has not come. */
  closed = 0
  /** Since when its request waits here. Only `Holds` changes it. */
  wait: ListNode<Wait<R>> | null = null
  /** The batches that it belongs to in the lanes of keys that contain its own. */
  batches: readonly Batch<R>[] = []

  constructor(
    readonly lane: Lane<R>,
    /** Null while a failure keeps the place taken. */
    public request: R | null,
    /** Sequence number: smaller ones came earlier. */
    readonly number: number,
  ) {}
}

/** Places of keys that the lane's key contains, with no place of the lane's own key between them. */
class Batch<R> {
  previous: Turn<R> | null = null
  next: Turn<R> | null = null
  open = false
  readonly places = new Set<Place<R>>()

  constructor(readonly lane: Lane<R>) {}
}

/** A lane as an operator sees it. */
export interface LaneInfo<R> {
  readonly key: string
  readonly depth: number
  readonly blocked: boolean
  /** The request that the others wait for; null if the lane is blocked, or waits for another key. */
  readonly head: R | null
  /** The request that entered first of those still here. */
  readonly oldest: R | null
}

const NONE: readonly never[] = []

/**
 * Decides which request of each key goes next. A key that contains others waits for what came earlier to any of them,
 * and holds back what comes later. Keys of which neither contains the other don't affect each other. A lane lives as
 * long as it holds a place. The cost of each step is one lane per part of the key, however many keys there are and
 * however many requests wait.
 */
export class Lanes<R extends Occupant<R>> {
  private readonly lanes = new Map<string, Lane<R>>()
  /** Places that a failure keeps taken, by key. */
  private readonly blocks = new Map<string, Place<R>>()
  private count = 0

  get size(): number {
    return this.lanes.size
  }

  /** True once there was a message with a key. */
  get used(): boolean {
    return this.count > 0
  }

  /** Takes the last place of its key. @returns whether nothing is before it */
  enter(key: string, request: R): boolean {
    const place = new Place<R>(this.laneOf(key), request, ++this.count)
    request.place = place
    const containers = containersOf(key)
    if (containers.length > 0) place.batches = containers.map((container) => this.joinBatch(container, place))
    append(place)
    if (!place.open) place.closed++
    return place.closed === 0
  }

  /**
   * Gives up the request's place, wherever it is.
   * @returns the requests that may go now because of it, in the order of delivery
   */
  leave(request: R): readonly R[] {
    const { place } = request
    if (!place) return NONE
    request.place = null
    return this.vacate(place)
  }

  /** Returns all requests that may not go before these, in order, without these themselves. */
  behind(requests: Iterable<R>): R[] {
    const start: Place<R>[] = []
    for (const { place } of requests) if (place) start.push(place)
    const found = new Set<Place<R>>()
    // Iterating over a set also visits what is added on the way.
    for (const place of start) for (const next of followers(place)) found.add(next)
    for (const place of found) for (const next of followers(place)) found.add(next)
    return [...found].sort((one, other) => one.number - other.number).flatMap(({ request }) => request ?? [])
  }

  /** Keeps the place of a request that leaves, and so everything behind it, until `unblock`. */
  block(request: R): void {
    const { place } = request
    if (!place) return
    request.place = null
    place.request = null
    this.blocks.set(place.lane.key, place)
  }

  /** @returns the requests that may go now, in the order of delivery; null if the key was not blocked */
  unblock(key: string): readonly R[] | null {
    const place = this.blocks.get(key)
    if (!place) return null
    this.blocks.delete(key)
    return this.vacate(place)
  }

  *[Symbol.iterator](): Iterator<LaneInfo<R>> {
    for (const lane of this.lanes.values()) {
      const { key } = lane
      const blocked = this.blocks.has(key)
      const requests: R[] = []
      for (let turn = lane.first; turn; turn = turn.next) {
        if (turn instanceof Place && turn.request) requests.push(turn.request)
      }
      const oldest = requests[0] ?? null
      // A lane that holds only batches leads to other lanes, which are listed.
      if (oldest || blocked) {
        yield { key, depth: requests.length, blocked, head: oldest?.place?.closed === 0 ? oldest : null, oldest }
      }
    }
  }

  private laneOf(key: string): Lane<R> {
    let lane = this.lanes.get(key)
    if (!lane) {
      lane = { key, first: null, last: null }
      this.lanes.set(key, lane)
    }
    return lane
  }

  private joinBatch(container: string, place: Place<R>): Batch<R> {
    const lane = this.laneOf(container)
    let batch = lane.last
    if (!(batch instanceof Batch)) {
      batch = new Batch(lane)
      append(batch)
    }
    batch.places.add(place)
    if (!batch.open) place.closed++
    return batch
  }

  private vacate(place: Place<R>): readonly R[] {
    const freed: R[] = []
    for (const batch of place.batches) {
      batch.places.delete(place)
      if (batch.places.size === 0) this.unlink(batch, freed)
    }
    place.batches = NONE
    this.unlink(place, freed)
    place.request = null
    return freed.length > 1 ? freed.sort((one, other) => one.delivery.sequence - other.delivery.sequence) : freed
  }

  private unlink(turn: Turn<R>, freed: R[]): void {
    const { lane, next, previous } = turn
    if (previous) previous.next = next
    else lane.first = next
    if (next) next.previous = previous
    else lane.last = previous
    if (!lane.first) this.lanes.delete(lane.key)
    // What is left of an old turn would keep later ones, and their requests, in memory.
    turn.previous = null
    turn.next = null
    for (let each = next; each && !each.open && mayOpen(each); each = each.next) open(each, freed)
  }
}

function append<R>(turn: Turn<R>): void {
  const { lane } = turn
  turn.previous = lane.last
  if (lane.last) lane.last.next = turn
  else lane.first = turn
  lane.last = turn
  turn.open = mayOpen(turn)
}

/** Returns whether the turn is first, or a batch with only batches before it. */
function mayOpen<R>(turn: Turn<R>): boolean {
  const { previous } = turn
  return !previous || (turn instanceof Batch && previous instanceof Batch && previous.open)
}

function open<R>(turn: Turn<R>, freed: R[]): void {
  turn.open = true
  for (const place of turn instanceof Place ? [turn] : turn.places) {
    place.closed--
    if (place.closed === 0 && place.request) freed.push(place.request)
  }
}

/** Yields the places that wait directly for this one, not those that wait for another that does. */
function* followers<R>(place: Place<R>): Iterable<Place<R>> {
  for (let turn = place.next; turn; turn = turn.next) {
    if (turn instanceof Place) {
      yield turn
      break
    }
    yield* turn.places
  }
  for (const batch of place.batches) {
    let turn = batch.next
    while (turn instanceof Batch) turn = turn.next
    if (turn) yield turn
  }
}
