import { describe, expect, it } from '@jest/globals'
import { type Bounds, type ControllerState, type Decision, decide, initialState } from '../../lib/scaling/controller.js'
import type { Sample } from '../../lib/scaling/sample.js'
import { queueOf, sampleOf } from './sample.js'

const BOUNDS: Bounds = { max: 100, min: 2, targetWaitMs: 1000, keepaliveMs: 30_000 }

/** A worker whose runs are known to take 20 ms and that has been idle since: 10 s on the clock. */
function experienced(): { readonly state: ControllerState; readonly sample: Sample } {
  const totals = { received: 100, completed: 100, serviceMsTotal: 2000 }
  const { state } = decide(initialState(), sampleOf(), BOUNDS)
  const busy = decide(state, sampleOf({ now: 1000, ...totals }), BOUNDS)
  const sample = sampleOf({ now: 10_000, ...totals })
  return { state: decide(busy.state, sample, BOUNDS).state, sample }
}

/** Decides for one sample after the other, each with the slots of the decision before. */
function follow(samples: ReadonlyArray<Partial<Sample> & { readonly ready?: number }>, bounds = BOUNDS): Decision[] {
  let { state, sample } = experienced()
  let { slots } = sample
  return samples.map((parts) => {
    const { received, completed, serviceMsTotal } = sample
    sample = sampleOf({ received, completed, serviceMsTotal, slots, ...parts })
    const decision = decide(state, sample, bounds)
    state = decision.state
    slots = decision.slots
    return decision
  })
}

const slotsOf = (decisions: readonly Decision[]): number[] => decisions.map(({ slots }) => slots)

describe('growth', () => {
  it('gives each waiting message a slot while nothing is known of the service time', () => {
    const decision = decide(initialState(), sampleOf({ ready: 30, busy: 2 }), BOUNDS)
    expect(decision).toMatchObject({ slots: 32, reason: 'backlog' })
    expect(decision.detail).toEqual({
      need: 32,
      alone: 32,
      depth: 30,
      busy: 2,
      reserved: 0,
      parked: 0,
      ratePerSecond: 0,
      loopUtilisation: 0,
    })
  })

  it('opens at once what clears the backlog within the target', () => {
    // Given back by this worker, so that nothing has arrived: it is the backlog alone that counts.
    const { state, sample } = experienced()
    const queues = new Map([['q', queueOf({ ready: 2000 })]])
    const decision = decide(state, { ...sample, now: 11_000, received: sample.received - 2000, queues }, BOUNDS)
    expect(decision).toMatchObject({ slots: 39, reason: 'backlog' })
    expect(decision.detail).toMatchObject({ need: 39, depth: 2000, serviceMs: 20 })
  })

  it('does not take a burst for a rate', () => {
    expect(follow([{ now: 11_000, ready: 2000 }])[0]?.slots).toBe(40)
  })

  it('opens what arrivals need before they queue up', () => {
    const decisions = follow(
      Array.from({ length: 60 }, (_, second) => ({
        now: 11_000 + second * 1000,
        busy: 20,
        received: 1100 + 1000 * second,
        completed: 1100 + 1000 * second,
        serviceMsTotal: 22_000 + 20_000 * second,
      })),
    )
    // 1000 a second of 20 ms: 20 busy slots, and the margin.
    expect(decisions[0]?.reason).toBe('arrivals')
    expect(slotsOf(decisions).at(-1)).toBe(21)
  })

  it('has a slot for a single message even where none is kept open', () => {
    const decision = decide(initialState(), sampleOf({ slots: 0, ready: 1 }), { ...BOUNDS, min: 0 })
    expect(decision.slots).toBe(1)
  })

  it('does not come from parked messages', () => {
    expect(follow([{ now: 11_000, parked: 5000 }])[0]).toMatchObject({ slots: 2, reason: 'steady' })
  })

  it('may be decided at any moment, also twice in the same', () => {
    const decisions = follow([
      { now: 10_000, ready: 50_000 },
      { now: 10_000, ready: 50_000 },
      { now: 10_001, ready: 50_000 },
    ])
    expect(slotsOf(decisions)).toEqual([100, 100, 100])
    expect(Number.isFinite(decisions[2]?.detail.ratePerSecond)).toBe(true)
  })
})

describe('a brake', () => {
  it.each([
    ['saturated-loop', { loopUtilisation: 0.96 }],
    ['memory', { memoryUse: 0.91 }],
    ['memory', { memoryUse: 0.91, loopUtilisation: 1 }],
    ['breaker-open', { breakerOpen: true }],
    ['breaker-open', { breakerOpen: true, loopUtilisation: 1, memoryUse: 1 }],
  ])('stops growth, and says %s', (reason, parts) => {
    const [decision] = follow([{ now: 11_000, ready: 5000, ...parts }])
    expect(decision).toMatchObject({ slots: 2, reason, heldBack: true })
  })

  it.each([
    ['a memory with some room left', { memoryUse: 0.89 }],
    ['a loop that is nearly busy all the time', { loopUtilisation: 0.94 }],
  ])('is not %s', (_, parts) => {
    expect(follow([{ now: 11_000, ready: 5000, ...parts }])[0]).toMatchObject({ slots: 99, heldBack: false })
  })

  it('is not told where no more slots are wanted', () => {
    const [decision] = follow([{ now: 11_000, breakerOpen: true, loopUtilisation: 1, memoryUse: 1 }])
    expect(decision).toMatchObject({ slots: 2, reason: 'steady', heldBack: false })
  })

  it('does not come from a moment in which the loop was busy', () => {
    const decisions = follow([
      { now: 11_000, loopUtilisation: 0.5 },
      { now: 11_025, ready: 5000, loopUtilisation: 1 },
    ])
    expect(slotsOf(decisions)).toEqual([2, 100])
  })

  it('is off again as soon as its cause is gone', () => {
    const decisions = follow([
      { now: 11_000, ready: 5000, breakerOpen: true },
      { now: 11_500, ready: 5000, loopUtilisation: 0.95 },
    ])
    expect(slotsOf(decisions)).toEqual([2, 99])
  })

  it('does not keep a surplus', () => {
    const decisions = follow([
      { now: 10_000, ready: 5000 },
      { now: 30_000, breakerOpen: true },
      { now: 50_000, breakerOpen: true },
      { now: 60_000, breakerOpen: true },
    ])
    expect(decisions.at(-1)).toMatchObject({ slots: 2, reason: 'idle' })
  })

  it('keeps slots that are needed', () => {
    const decisions = follow(
      [10, 20, 30, 40, 50].map((second) => ({ now: second * 1000, ready: 5000, slots: 30, breakerOpen: true })),
    )
    expect(slotsOf(decisions)).toEqual([30, 30, 30, 30, 30])
  })
})

describe('shrinking', () => {
  it('waits for the keepalive, and then goes to the greatest need in that time', () => {
    const decisions = follow([
      { now: 10_000, ready: 10_000 },
      { now: 20_000 },
      { now: 30_000, reserved: 700 },
      { now: 31_000 },
      { now: 49_999 },
      { now: 50_000 },
      { now: 60_999 },
      { now: 61_000 },
    ])
    const [grown, , seen] = decisions
    expect(grown?.slots).toBe(100)
    expect(seen?.detail.need).toBe(14)
    expect(slotsOf(decisions)).toEqual([100, 100, 100, 100, 100, 14, 14, 2])
    expect(decisions.map(({ reason }) => reason)).toEqual([
      'backlog',
      'steady',
      'steady',
      'steady',
      'steady',
      'idle',
      'steady',
      'idle',
    ])
  })

  it('does not happen as long as the slots are needed now and then', () => {
    const samples = Array.from({ length: 20 }, (_, index) => ({
      now: 10_000 + index * 14_000,
      ready: index % 2 ? 0 : 10_000,
    }))
    expect(new Set(slotsOf(follow(samples)))).toEqual(new Set([100]))
  })

  it('is not held up by the rest of an average', () => {
    // 100 messages of 20 ms, ten seconds ago.
    expect(follow([{ now: 11_000 }])[0]?.detail).toMatchObject({ need: 0, ratePerSecond: 3.5 })
  })

  it('takes few steps when a load fades', () => {
    const samples = Array.from({ length: 60 }, (_, second) => ({
      now: 10_000 + second * 1000,
      reserved: Math.max(0, 4000 - 400 * second),
    }))
    const slots = slotsOf(follow(samples))
    expect(slots[0]).toBeGreaterThan(70)
    expect(slots.at(-1)).toBe(2)
    const steps = slots.filter((each, index) => index > 0 && each < (slots[index - 1] ?? 0))
    expect(steps.length).toBeLessThanOrEqual(6)
  })
})

describe('the bounds', () => {
  it('are the least and the most', () => {
    const [idle, flooded] = follow([{ now: 11_000 }, { now: 12_000, ready: 1_000_000 }], { ...BOUNDS, min: 5, max: 8 })
    expect(idle).toMatchObject({ slots: 5, reason: 'bounds' })
    expect(flooded).toMatchObject({ slots: 8, reason: 'backlog' })
  })

  it('are told as the reason when no more slots are allowed', () => {
    const [, flooded] = follow([
      { now: 11_000, ready: 90_000 },
      { now: 12_000, ready: 90_000 },
    ])
    expect(flooded).toMatchObject({ slots: 100, reason: 'bounds' })
  })

  it('hold at once when they are moved', () => {
    const { state, sample } = experienced()
    const wide = { ...sample, slots: 50, now: 11_000 }
    expect(decide(state, wide, { ...BOUNDS, max: 20 })).toMatchObject({ slots: 20, reason: 'bounds' })
    expect(decide(state, wide, { ...BOUNDS, min: 60 })).toMatchObject({ slots: 60, reason: 'bounds' })
  })

  it('leave slots that an operator has opened for the keepalive', () => {
    const { state, sample } = experienced()
    const grown = decide(state, { ...sample, slots: 50, now: 60_000 }, BOUNDS)
    expect(grown.slots).toBe(50)
    expect(decide(grown.state, { ...sample, slots: 50, now: 89_999 }, BOUNDS).slots).toBe(50)
    expect(decide(grown.state, { ...sample, slots: 50, now: 90_000 }, BOUNDS).slots).toBe(2)
  })

  it('keep a fixed size where they are the same', () => {
    const fixed = { ...BOUNDS, min: 16, max: 16 }
    const decisions = follow([{ now: 11_000, ready: 90_000 }, { now: 100_000 }, { now: 200_000 }], fixed)
    expect(slotsOf(decisions)).toEqual([16, 16, 16])
  })
})

describe('among other workers', () => {
  it('a worker says that it has no more than its share', () => {
    const queues = new Map([['q', queueOf({ ready: 0, consumers: 40, ownConsumers: 30 })]])
    const { state, sample } = experienced()
    const decision = decide(state, { ...sample, now: 11_000, slots: 30, busy: 30, reserved: 1590, queues }, BOUNDS)
    expect(decision.detail).toMatchObject({ alone: 32, need: 30 })
    expect(decision).toMatchObject({ slots: 30, reason: 'sharing', heldBack: false })
  })
})

describe('a decision', () => {
  it('shares its slots out over the queues', () => {
    const queues = new Map([
      ['short', queueOf({ ready: 900 })],
      ['long', queueOf({ ready: 0 })],
    ])
    const { slots, split } = decide(initialState(), sampleOf({ queues }), { ...BOUNDS, max: 11 })
    expect(slots).toBe(11)
    expect(Object.fromEntries(split)).toEqual({ short: 11, long: 1 })
  })

  it('leaves the state that it came from as it was', () => {
    const { state, sample } = experienced()
    const copy = structuredClone(state)
    decide(state, { ...sample, now: 20_000, reserved: 5000 }, BOUNDS)
    expect(state).toEqual(copy)
  })

  it('is the same for the same state and sample', () => {
    const { state, sample } = experienced()
    const next = { ...sample, now: 20_000, reserved: 5000 }
    expect(decide(state, next, BOUNDS)).toEqual(decide(state, next, BOUNDS))
  })
})
