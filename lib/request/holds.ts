import { rootOf } from '../app/orderKey.js'
import { LinkedList } from '../containers/linkedList.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { Wait } from './lanes.js'
import type { Request } from './request.js'
import type { WorkerState } from './state.js'

export interface HoldsOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly state: WorkerState
  /**
   * `worker_order_depth_limit`: messages of one key that may wait before they reduce the intake of their queue; null
   * for no limit.
   */
  readonly depthLimit: number | null
  /** `worker_order_age_limit`: seconds that a message may wait for its key before a warning says so; null for no limit. */
  readonly ageLimit: number | null
}

/** Messages that wait for one key, and for the keys that it contains. */
interface Hold {
  waiting: number
  /** Requests beyond the depth limit, the earliest first. */
  readonly excess: Set<Request>
  told: boolean
}

/**
 * Watches how many messages wait for each key, and for how long. At the depth limit, further messages of a key use up
 * the window of their queue instead of enlarging it, so that the intake of the queue shrinks, and stops, until the key
 * has caught up; other queues go on. At the age limit there is only a warning: a message that was given back would be
 * overtaken by messages of its key that are on their way here, and one that was published again by those in the queue.
 * Each limit is logged once a key until it is over.
 */
export class Holds {
  /** Holds by the first part of the key; empty without a depth limit. */
  private readonly holds = new Map<string, Hold>()
  /** Requests that aren't overdue yet, the earliest first. */
  private readonly inTime = new LinkedList<Wait<Request>>()
  /** Overdue requests, by the first part of the key. */
  private readonly overdue = new Map<string, Set<Request>>()
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly options: HoldsOptions) {}

  /** Counts a request that begins to wait for its key. */
  add(request: Request, key: string): void {
    const { ageLimit, clock, depthLimit } = this.options
    if (depthLimit !== null) this.addToHold(request, rootOf(key), depthLimit)
    if (ageLimit === null) return
    const wait = this.inTime.add({ request, since: clock.monotonic() })
    if (request.place) request.place.wait = wait
    if (!this.timer && !this.stopped) this.arm(ageLimit, ageLimit * 1000)
  }

  /** Stops counting a request that no longer waits for its key. */
  remove(request: Request, key: string): void {
    const { depthLimit } = this.options
    if (depthLimit !== null) this.removeFromHold(request, rootOf(key), depthLimit)
    const wait = request.place?.wait
    if ((wait && this.inTime.remove(wait)) || this.overdue.size === 0) return
    const root = rootOf(key)
    const late = this.overdue.get(root)
    if (!late?.delete(request) || late.size > 0) return
    this.overdue.delete(root)
    this.options.log.info(`No message waits for the order key ${root} longer than worker_order_age_limit any more`)
  }

  /** Stops the warnings: the worker is about to end. */
  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    this.timer = null
  }

  private addToHold(request: Request, root: string, limit: number): void {
    const { log, state } = this.options
    let hold = this.holds.get(root)
    if (!hold) {
      hold = { waiting: 0, excess: new Set(), told: false }
      this.holds.set(root, hold)
    }
    hold.waiting++
    if (hold.waiting <= limit) return
    hold.excess.add(request)
    state.exceed(request.delivery.queue, 1)
    state.heldBeyond.depth++
    if (hold.told) return
    hold.told = true
    log.warning(
      `${limit} messages wait for the order key ${root}, as many as worker_order_depth_limit allows: further ones reduce what is taken from ${request.delivery.queue}`,
    )
  }

  /**
   * Counts one waiting message less. The earliest beyond the limit is now within it, unless the one that left was
   * itself beyond.
   */
  private removeFromHold(request: Request, root: string, limit: number): void {
    const { log, state } = this.options
    const hold = this.holds.get(root)
    if (!hold) return
    hold.waiting--
    const [earliest] = hold.excess
    const within = hold.excess.has(request) ? request : earliest
    if (within) {
      hold.excess.delete(within)
      state.exceed(within.delivery.queue, -1)
    }
    // Not right at the limit: a key that stays there would be logged with each message.
    if (hold.told && hold.waiting * 2 <= limit) {
      hold.told = false
      log.info(`Fewer messages wait for the order key ${root} than worker_order_depth_limit: taking messages as usual`)
    }
    if (hold.waiting === 0) this.holds.delete(root)
  }

  private arm(limit: number, delayMs: number): void {
    this.timer = this.options.clock.setTimer(() => {
      this.timer = null
      this.warn(limit)
    }, delayMs)
  }

  private warn(limit: number): void {
    const { clock, log, state } = this.options
    const now = clock.monotonic()
    for (let { oldest } = this.inTime; oldest?.value; { oldest } = this.inTime) {
      const { request, since } = oldest.value
      const leftMs = since + limit * 1000 - now
      if (leftMs > 0) {
        this.arm(limit, leftMs)
        return
      }
      this.inTime.remove(oldest)
      state.heldBeyond.age++
      const root = rootOf(request.key ?? '')
      const late = this.overdue.get(root)
      if (late) {
        late.add(request)
        continue
      }
      this.overdue.set(root, new Set([request]))
      log.warning(
        `${request.label} has waited for the order key ${root} for ${(now - since) / 1000}s, longer than worker_order_age_limit: \`inspect lanes\` shows what it waits for`,
      )
    }
  }
}
