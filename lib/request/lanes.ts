import { containersOf } from '../app/orderKey.js'

/** What waits in a lane: a request. */
export interface Occupant<R> {
  readonly delivery: { readonly sequence: number }
  place: Place<R> | null
}

/** The FIFO of one key: the places of its own, and between them, in batches, those of the keys that it contains. */
interface Lane<R> {
  readonly key: string
  first: Turn<R> | null
  last: Turn<R> | null
}

/** What has its turn in a lane: one place of the lane's own key, or a batch of places further down, which may all go together. */
type Turn<R> = Place<R> | Batch<R>

/** A request's place in the lane of its own key. */
export class Place<R> {
  previous: Turn<R> | null = null
  next: Turn<R> | null = null
  /** Whether nothing in this lane is in its way. */
  open = false
  /** The lanes, of its own key and of those that contain it, in which its turn has not come. */
  closed = 0
  /** Where it stands in the lanes of the keys that contain its own. */
  batches: readonly Batch<R>[] = []

  constructor(
    readonly lane: Lane<R>,
    /** Null when a failure keeps the place taken. */
    public request: R | null,
    /** Counted up: a smaller one came earlier. */
    readonly number: number,
  ) {}
}

/** Places whose keys a lane's key contains, and which came with none of the lane's own between them. */
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
  /** The one that entered first of those that are here. */
  readonly oldest: R | null
}

const NONE: readonly never[] = []

/**
 * Who of each key goes next. A key that contains others waits for what came earlier to any of them, and holds back what comes
 * later; keys of which neither contains the other have nothing to do with each other. A lane lives as long as it holds a place.
 * Each step costs as many lanes as the key has parts, however many keys there are and however much waits.
 */
export class Lanes<R extends Occupant<R>> {
  private readonly lanes = new Map<string, Lane<R>>()
  /** Places that a failure keeps taken, by key. */
  private readonly blocks = new Map<string, Place<R>>()
  private count = 0

  get size(): number {
    return this.lanes.size
  }

  /** Whether there ever was a message with a key. */
  get used(): boolean {
    return this.count > 0
  }

  /** Takes the last place of its key. @returns whether nothing is in its way */
  enter(key: string, request: R): boolean {
    const place = new Place<R>(this.laneOf(key), request, ++this.count)
    request.place = place
    const containers = containersOf(key)
    if (containers.length > 0) place.batches = containers.map((container) => this.joinBatch(container, place))
    append(place)
    if (!place.open) place.closed++
    return place.closed === 0
  }

  /** Gives its place up, wherever that is. @returns the requests that may go now because of it, the one delivered first first */
  leave(request: R): readonly R[] {
    const { place } = request
    if (!place) return NONE
    request.place = null
    return this.vacate(place)
  }

  /** All that may not go before these, first one first; none of these themselves. */
  behind(requests: Iterable<R>): R[] {
    const start: Place<R>[] = []
    for (const { place } of requests) if (place) start.push(place)
    const found = new Set<Place<R>>()
    // A set that grows while it is walked is walked to its end.
    for (const place of start) for (const next of followers(place)) found.add(next)
    for (const place of found) for (const next of followers(place)) found.add(next)
    return [...found].sort((one, other) => one.number - other.number).flatMap(({ request }) => request ?? [])
  }

  /** Keeps the request's place taken when it has gone, and so all that is behind it, until `unblock`. */
  block(request: R): void {
    const { place } = request
    if (!place) return
    request.place = null
    place.request = null
    this.blocks.set(place.lane.key, place)
  }

  /** @returns the requests that may go now, the one delivered first first; null if the key was not blocked */
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
      // A lane of nothing but batches is a way to others, which are listed.
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
    return freed.length > 1 ? freed.sort((one, other) => one.delivery.sequence - other.delivery.sequence) : freed
  }

  private unlink(turn: Turn<R>, freed: R[]): void {
    const { lane, next, previous } = turn
    if (previous) previous.next = next
    else lane.first = next
    if (next) next.previous = previous
    else lane.last = previous
    if (!lane.first) this.lanes.delete(lane.key)
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

/** It is first, or a batch that has only batches before it. */
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

/** The places that wait for this one, as far as they don't wait for another that does. */
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
