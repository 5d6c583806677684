import TinyQueue from 'tinyqueue'
import type { Bounds } from '../../lib/scaling/controller.js'
import type { Arrival, Resize } from './scenario.js'

/** How often the oracle decides, in milliseconds: as often as the controller. */
const STEP_MS = 1000
/** Where even the most slots miss the target, so much more wait than theirs is as good. */
const AS_GOOD = 1.1

/**
 * The slots of somebody who knows every arrival and every run beforehand and wants the fewest slot-seconds, under the rules that
 * hold for the controller, too: every message is started within the target, and a slot that is needed is kept for the keepalive.
 * A run that takes longer than the target needs its slot until it ends: no other slot could have run it soon after another.
 * Each second it looks one keepalive ahead. It finds the fewest slots that will do for all of that time, and so the lowest
 * peak; then it opens no more of them than it must, so that waiting one more second for the others does no harm. A message
 * that would miss the target with `max` slots open from the beginning may wait a tenth longer than it would then.
 * @param arrivals by time
 * @returns the slots from each time on
 */
export function foresee(arrivals: readonly Arrival[], bounds: Bounds, untilMs: number): Resize[] {
  const { keepaliveMs, max, min } = bounds
  const queue = new ForeseenQueue(arrivals, bounds)
  const needs: number[] = []
  const timetable: Resize[] = []
  let peak = min
  let need = min
  for (let now = 0; now < untilMs; now += STEP_MS) {
    const until = now + keepaliveMs
    peak = fewest(peak, min, max, (slots) => queue.isInTime([{ at: now, slots }], until))
    const later = { at: now + STEP_MS, slots: peak }
    need = fewest(need, min, peak, (slots) => queue.isInTime([{ at: now, slots }, later], until))
    needs.push(Math.max(need, queue.longRuns))
    const slots = Math.max(...needs.slice(-1 - keepaliveMs / STEP_MS))
    queue.run({ at: now, slots }, now + STEP_MS)
    if (timetable.at(-1)?.slots !== slots) timetable.push({ at: now, slots })
  }
  return timetable
}

/** The smallest number that will do, searched for from `guess` on. */
function fewest(guess: number, min: number, max: number, isEnough: (slots: number) => boolean): number {
  let slots = Math.min(Math.max(guess, min), max)
  while (slots < max && !isEnough(slots)) slots++
  while (slots > min && isEnough(slots - 1)) slots--
  return slots
}

/** A queue whose future is known, and the runs that are under way. Messages start in the order in which they came. */
class ForeseenQueue {
  private next = 0
  private running: Run[] = []
  private threadFreeAt = 0
  /** How long each message may wait. */
  private readonly limitsMs: readonly number[]

  constructor(
    private readonly arrivals: readonly Arrival[],
    private readonly bounds: Bounds,
  ) {
    const { max, targetWaitMs } = bounds
    const best = this.play([{ at: 0, slots: max }], Number.POSITIVE_INFINITY)
    this.limitsMs = [...best].map(({ waitMs }) => Math.max(targetWaitMs, AS_GOOD * waitMs))
  }

  /** Lets time go on. */
  run(level: Resize, until: number): void {
    const started = [...this.play([level], until)].filter(({ startedAt }) => startedAt < until)
    this.next += started.length
    this.threadFreeAt = started.at(-1)?.threadFreeAt ?? this.threadFreeAt
    this.running = [...this.running, ...started].filter(({ endedAt }) => endedAt > until)
  }

  /** Of the runs that are under way, those that take longer than the target. */
  get longRuns(): number {
    return this.running.filter(({ startedAt, endedAt }) => endedAt - startedAt > this.bounds.targetWaitMs).length
  }

  /** Whether nothing that waits, or arrives before `until`, would wait too long. */
  isInTime(levels: readonly Resize[], until: number): boolean {
    let index = this.next
    for (const { waitMs } of this.play(levels, until)) {
      if (waitMs > (this.limitsMs[index++] ?? 0)) return false
    }
    return true
  }

  private *play(levels: readonly Resize[], until: number): Generator<Run> {
    const free = this.slotsFrom(levels)
    let { threadFreeAt } = this
    for (let index = this.next; index < this.arrivals.length; index++) {
      const message = this.arrivals[index]
      if (!message || message.at >= until) return
      const { at, serviceMs, cpuMs = 0 } = message
      const startedAt = Math.max(at, free.pop() ?? Number.POSITIVE_INFINITY)
      let endedAt = startedAt + serviceMs
      if (cpuMs > 0) {
        threadFreeAt = Math.max(threadFreeAt, endedAt - cpuMs) + cpuMs
        endedAt = threadFreeAt
      }
      free.push(endedAt)
      yield { startedAt, endedAt, threadFreeAt, waitMs: endedAt - at - serviceMs }
    }
  }

  /** When each slot is free. Of too many, those that are free first are closed. */
  private slotsFrom(levels: readonly Resize[]): TinyQueue<number> {
    const free = this.running.map(({ endedAt }) => endedAt).sort((a, b) => a - b)
    for (const [index, { at, slots }] of levels.entries()) {
      if (index === 0) free.splice(0, free.length - slots)
      while (free.length < slots) free.push(at)
    }
    return new TinyQueue(free)
  }
}

interface Run {
  readonly startedAt: number
  readonly endedAt: number
  readonly threadFreeAt: number
  readonly waitMs: number
}
