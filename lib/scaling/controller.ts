import { demandsOf, depthOf, type Estimate, expectedServiceMs, NO_ESTIMATE, observe, waiting } from './estimate.js'
import { type Need, slotsNeeded } from './need.js'
import { greatestNeed, type NeedWindow, remember } from './needWindow.js'
import type { Sample } from './sample.js'
import { splitSlots } from './split.js'

/** Settings for the controller. */
export interface Bounds {
  /** `--autoscale=max,min`. */
  readonly max: number
  readonly min: number
  /** Milliseconds within which waiting messages should be started. */
  readonly targetWaitMs: number
  /** Milliseconds that a surplus has to last before slots are closed. */
  readonly keepaliveMs: number
}

/** Why there are as many slots as there are, or why there aren't more. */
export type Reason =
  | 'backlog'
  | 'arrivals'
  | 'idle'
  | 'steady'
  | 'sharing'
  | 'bounds'
  | 'saturated-loop'
  | 'breaker-open'
  | 'memory'

export interface ControllerState {
  /** Slots of the last decision. */
  readonly slots: number
  readonly split: ReadonlyMap<string, number>
  readonly estimate: Estimate
  readonly needs: NeedWindow
  /** Monotonic milliseconds at which slots were last closed. */
  readonly shrunkAt: number
}

export interface Decision {
  readonly state: ControllerState
  readonly slots: number
  /** Consumers to keep open, by queue. */
  readonly split: ReadonlyMap<string, number>
  readonly reason: Reason
  /** True if more slots are wanted, and none is opened for the reason given. */
  readonly heldBack?: boolean
  /** Figures behind the decision, for the log. */
  readonly detail: Readonly<Record<string, number>>
}

/** Above this utilisation of the event loop another slot takes time from the others. */
const SATURATED = 0.95
/** Above this fraction of the memory there is no room for the needs of more slots. */
const MEMORY_FULL = 0.9
/**
 * A need below this fraction of a slot doesn't open one more: the message waits a little longer, and that raises the
 * need.
 */
const NEGLIGIBLE = 0.25
/** Pause between two closings, as a fraction of the keepalive: a load that fades closes slots in a few steps. */
const REST = 0.05

/** State before the first sample. */
export function initialState(): ControllerState {
  return { slots: 0, split: new Map(), estimate: NO_ESTIMATE, needs: [], shrunkAt: Number.NEGATIVE_INFINITY }
}

/**
 * Decides how many slots to have, and how to split them over the queues. Grows at once to what the load needs (see
 * `slotsNeeded`), unless more slots wouldn't help; shrinks when the surplus has lasted for the keepalive, to the
 * greatest need in that time. Replaces Celery's autoscaler, which sees only messages that are already reserved. Pure:
 * it may be called at any rate.
 */
export function decide(state: ControllerState, sample: Sample, bounds: Bounds): Decision {
  const within = (slots: number): number => Math.min(Math.max(slots, bounds.min), bounds.max)
  const estimate = observe(state.estimate, sample)
  const need = slotsNeeded(estimate, sample, bounds.targetWaitMs)
  const wanted = whole(need.slots, sample)
  // Slots opened by others, at the start or by remote control, count as wanted, too.
  const given =
    sample.slots > state.slots ? remember(state.needs, sample.slots, sample.now, bounds.keepaliveMs) : state.needs
  const needs = remember(given, within(wanted), sample.now, bounds.keepaliveMs)

  const allowed = within(sample.slots)
  const brake = wanted > allowed ? brakeOn(sample, estimate) : null
  const rested = sample.now - state.shrunkAt >= REST * bounds.keepaliveMs
  let slots = allowed
  if (wanted > allowed) slots = brake ? allowed : within(wanted)
  else if (rested) slots = Math.min(allowed, greatestNeed(needs))

  const split = splitSlots(slots, demandsOf(estimate, sample), state.split)
  const shrunkAt = slots < sample.slots ? sample.now : state.shrunkAt
  return {
    state: { slots, split, estimate, needs, shrunkAt },
    slots,
    split,
    reason: brake ?? reasonFor(slots, allowed, wanted, need, sample),
    heldBack: wanted > allowed && slots === allowed,
    detail: detailOf(estimate, sample, need, wanted),
  }
}

function whole(need: number, sample: Sample): number {
  return Math.max(Math.ceil(need - NEGLIGIBLE), waiting(sample) > 0 ? 1 : 0)
}

function brakeOn(sample: Sample, estimate: Estimate): Reason | null {
  if (sample.breakerOpen) return 'breaker-open'
  if ((sample.memoryUse ?? 0) > MEMORY_FULL) return 'memory'
  return estimate.loopUtilisation > SATURATED ? 'saturated-loop' : null
}

function reasonFor(slots: number, allowed: number, wanted: number, need: Need, sample: Sample): Reason {
  if (allowed !== sample.slots && slots === allowed) return 'bounds'
  if (wanted > allowed) {
    if (slots === allowed) return 'bounds'
    return need.backlog > allowed || need.backlog >= need.alone - need.backlog ? 'backlog' : 'arrivals'
  }
  if (whole(need.alone, sample) > allowed) return 'sharing'
  return slots < allowed ? 'idle' : 'steady'
}

function detailOf(estimate: Estimate, sample: Sample, need: Need, wanted: number): Record<string, number> {
  const { busy, reserved, parked, loopUtilisation } = sample
  const serviceMs = expectedServiceMs(estimate)
  return {
    need: wanted,
    alone: whole(need.alone, sample),
    depth: depthOf(sample),
    busy,
    reserved,
    parked,
    ratePerSecond: Math.round(estimate.ratePerMs * 1e5) / 100,
    ...(serviceMs === null ? {} : { serviceMs: Math.round(serviceMs * 100) / 100 }),
    loopUtilisation: Math.round(loopUtilisation * 100) / 100,
  }
}
