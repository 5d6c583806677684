import { type Bounds, decide, initialState, type Reason } from '../../lib/scaling/controller.js'
import type { Sample } from '../../lib/scaling/sample.js'
import type { Resize } from './scenario.js'

/** How a simulated worker sizes itself. One instance serves one worker. */
export interface Policy {
  readonly initialSlots: number
  readonly maxSlots: number
  /** Messages that one consumer may hold. */
  readonly prefetch: number
  readonly intervalMs: number
  /** The least time between two ticks when all slots are busy, at first (see `EarlyTicks`); null for none that are early. */
  readonly earlyTickMs: number | null
  /** Ticks with each message as well. */
  readonly ticksOnMessage: boolean
  decide(sample: Sample): {
    readonly slots: number
    readonly split: ReadonlyMap<string, number>
    readonly heldBack?: boolean
  }
}

export const BOUNDS: Bounds = { max: 100, min: 2, targetWaitMs: 1000, keepaliveMs: 30_000 }

/** Celeriac's controller, ticked as the worker ticks it. @param reasons collects why it resized */
export function celeriac(bounds: Partial<Bounds> = {}, reasons: Reason[] = []): Policy {
  const limits = { ...BOUNDS, ...bounds }
  let state = initialState()
  return {
    initialSlots: limits.min,
    maxSlots: limits.max,
    prefetch: 1,
    intervalMs: 1000,
    earlyTickMs: 10,
    ticksOnMessage: false,
    decide(sample) {
      const decision = decide(state, sample, limits)
      state = decision.state
      if (decision.slots !== sample.slots) reasons.push(decision.reason)
      return decision
    },
  }
}

/** As many slots from first to last. */
export function fixed(slots: number): Policy {
  return {
    initialSlots: slots,
    maxSlots: slots,
    prefetch: 1,
    intervalMs: 1000,
    earlyTickMs: null,
    ticksOnMessage: false,
    decide: ({ queues }) => ({ slots, split: new Map([...queues.keys()].map((name) => [name, slots])) }),
  }
}

/**
 * Celery's own rule: as many processes as requests are reserved, asked with each message and every 30 s; down only if the last
 * time up is longer than that ago. One consumer a queue, its prefetch sized for the maximum from the start.
 */
export function celery(max: number, min: number, prefetchMultiplier = 4): Policy {
  const keepaliveMs = 30_000
  let grewAt: number | null = null
  return {
    initialSlots: min,
    maxSlots: max,
    prefetch: max * prefetchMultiplier,
    intervalMs: keepaliveMs,
    earlyTickMs: null,
    ticksOnMessage: true,
    decide({ busy, now, queues, reserved, slots }) {
      const quantity = busy + reserved
      const split = new Map([...queues.keys()].map((name) => [name, 1]))
      if (Math.min(quantity, max) > slots) {
        grewAt = now
        return { slots: Math.min(quantity, max), split }
      }
      const wanted = Math.max(quantity, min)
      // Only idle processes are stopped.
      if (wanted < slots && grewAt !== null && now - grewAt > keepaliveMs)
        return { slots: Math.max(wanted, busy), split }
      return { slots, split }
    },
  }
}

/** Slots by a timetable. */
export function timetable(entries: readonly Resize[]): Policy {
  const most = Math.max(...entries.map(({ slots }) => slots))
  const slotsAt = (now: number): number => entries.findLast(({ at }) => at <= now)?.slots ?? 0
  return {
    ...fixed(most),
    initialSlots: slotsAt(0),
    decide: ({ now, queues }) => ({
      slots: slotsAt(now),
      split: new Map([...queues.keys()].map((name) => [name, most])),
    }),
  }
}
