import type { Request } from './request.js'

/** The FIFO of one key. */
interface Lane {
  /** The one request of the key that is ready, runs, or waits for its next try. */
  head: Request | null
  /** A set keeps the order of arrival and lets an expired request leave from the middle. */
  readonly waiting: Set<Request>
  /** Shut by a failure of a task with `orderOnFailure: 'block'`, until an operator opens it. */
  blocked: boolean
}

/** A lane as an operator sees it. */
export interface LaneInfo {
  readonly key: string
  readonly depth: number
  readonly blocked: boolean
  /** The request that the others wait for. */
  readonly head: Request | null
}

/** Who of each key goes next. A lane lives as long as it holds a request, or is blocked. */
export class Lanes {
  private readonly lanes = new Map<string, Lane>()

  get size(): number {
    return this.lanes.size
  }

  /** Takes the last place of its key. @returns whether that is also the first, so that nothing of its key is in its way */
  enter(key: string, request: Request): boolean {
    const lane = this.lanes.get(key)
    if (!lane) {
      this.lanes.set(key, { head: request, waiting: new Set(), blocked: false })
      return true
    }
    if (lane.head === null && !lane.blocked) {
      lane.head = request
      return true
    }
    lane.waiting.add(request)
    return false
  }

  /** Gives its place up, wherever that is. @returns the request that may go now because of it */
  leave(key: string, request: Request): Request | null {
    const lane = this.lanes.get(key)
    if (!lane) return null
    if (lane.head === request) {
      lane.head = null
      return this.advance(key, lane)
    }
    lane.waiting.delete(request)
    this.forgetIfEmpty(key, lane)
    return null
  }

  /** The requests behind the head, first one first. */
  behind(key: string): readonly Request[] {
    return [...(this.lanes.get(key)?.waiting ?? [])]
  }

  headOf(key: string): Request | null {
    return this.lanes.get(key)?.head ?? null
  }

  /** Keeps everything behind the present head, and all that comes later, until `unblock`. */
  block(key: string): void {
    const lane = this.lanes.get(key)
    if (lane) lane.blocked = true
  }

  /** @returns whether the key was blocked, and the request that may go now */
  unblock(key: string): { wasBlocked: boolean; next: Request | null } {
    const lane = this.lanes.get(key)
    if (!lane?.blocked) return { wasBlocked: false, next: null }
    lane.blocked = false
    return { wasBlocked: true, next: lane.head === null ? this.advance(key, lane) : null }
  }

  *[Symbol.iterator](): Iterator<LaneInfo> {
    for (const [key, { head, waiting, blocked }] of this.lanes) {
      yield { key, depth: waiting.size + (head ? 1 : 0), blocked, head }
    }
  }

  private advance(key: string, lane: Lane): Request | null {
    if (!lane.blocked) {
      for (const next of lane.waiting) {
        lane.waiting.delete(next)
        lane.head = next
        return next
      }
    }
    this.forgetIfEmpty(key, lane)
    return null
  }

  private forgetIfEmpty(key: string, lane: Lane): void {
    if (lane.head === null && lane.waiting.size === 0 && !lane.blocked) this.lanes.delete(key)
  }
}
