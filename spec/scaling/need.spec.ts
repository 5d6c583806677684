import { describe, expect, it } from '@jest/globals'
import { type Estimate, NO_ESTIMATE } from '../../lib/scaling/estimate.js'
import { slotsNeeded } from '../../lib/scaling/need.js'
import type { Sample } from '../../lib/scaling/sample.js'
import { queueOf, sampleOf } from './sample.js'

function known(serviceMs: number, perSecond = 0): Estimate {
  return {
    ...NO_ESTIMATE,
    ended: { count: 100, slotMs: 100 * serviceMs },
    ratePerMs: perSecond / 1000,
    recentRatePerMs: perSecond / 1000,
  }
}

/** So many busy slots and their margin, at a target of 1 s. */
function steady(busy: number, serviceMs: number): number {
  const part = serviceMs / (serviceMs + 1000)
  return busy + Math.sqrt(busy * part) + 0.5 * (1 - part)
}

describe('the slots of a worker that is alone', () => {
  it.each([
    ['nothing to do', known(20), sampleOf(), 0],
    ['1000 short messages that wait', known(20), sampleOf({ ready: 1000 }), 1000 * (20 / 1020)],
    ['as many in the broker as here', known(20), sampleOf({ ready: 600, reserved: 400 }), 1000 * (20 / 1020)],
    ['long ones', known(60_000), sampleOf({ ready: 30, busy: 2 }), 32 * (60 / 61)],
    ['an unknown service time', NO_ESTIMATE, sampleOf({ ready: 30, busy: 2 }), 32],
    ['parked messages', known(20), sampleOf({ parked: 500 }), 0],
    ['a steady load', known(20, 500), sampleOf({ busy: 10 }), steady(10, 20)],
    ['a steady load of long ones', known(10_000, 4), sampleOf({ busy: 40 }), steady(40, 10_000)],
    ['a load that hardly is one', known(20, 5), sampleOf(), 0.1 + Math.sqrt(0.1 * (20 / 1020)) + 0.1 * (1 / 1.02)],
    ['a load that has just ended', { ...known(20, 500), recentRatePerMs: 0 }, sampleOf(), 62.5 * (20 / 1020)],
    ['long ones that are more than usual', known(10_000, 2), sampleOf({ busy: 40 }), 40.25 * (10 / 11)],
    [
      'a backlog, and an eighth of what comes meanwhile',
      known(20, 500),
      sampleOf({ ready: 2000 }),
      2062.5 * (20 / 1020),
    ],
    ['a small backlog', known(20, 500), sampleOf({ ready: 50 }), steady(10, 20)],
    ['slots held by runs far older than the mean', known(20), sampleOf({ busy: 4, runningMs: 24_000 }), 4 * (3 / 4)],
    ['a broker that cannot be read from', known(20), sampleOf({ ready: 5000, intakeStopped: true }), 0],
  ] as Array<[string, Estimate, Sample, number]>)('for %s', (_, estimate, sample, slots) => {
    const need = slotsNeeded(estimate, sample, 1000)
    expect(need.slots).toBeCloseTo(slots, 6)
    expect(need.alone).toBeCloseTo(slots, 6)
  })

  it('are more when the target is shorter, and one a message when it is nothing', () => {
    const sample = sampleOf({ ready: 1000 })
    expect(slotsNeeded(known(20), sample, 100).slots).toBeCloseTo(1000 / 6, 6)
    expect(slotsNeeded(known(20), sample, 0).slots).toBe(1000)
  })

  it('count an eighth of what comes for as long as nothing has ended, at most for the target, while the service time is unknown', () => {
    const stuckFor = (stuckMs: number): number =>
      slotsNeeded({ ...NO_ESTIMATE, ratePerMs: 0.02, stuckMs }, sampleOf({ ready: 1, busy: 4 }), 1000).slots
    expect([stuckFor(0), stuckFor(500), stuckFor(60_000)]).toEqual([5, 6.25, 7.5])
  })

  it('are of no queue when there is none', () => {
    expect(slotsNeeded(NO_ESTIMATE, sampleOf({ queues: new Map(), busy: 3 }), 1000).slots).toBe(3)
  })

  it('tell which part is for what waits', () => {
    const need = slotsNeeded(known(1000, 8), sampleOf({ ready: 10, reserved: 2, busy: 8 }), 1000)
    expect(need.backlog).toBe(6)
    expect(need.alone).toBe(10.5)
  })
})

describe('the share of a worker among others', () => {
  /** For how many times its need the fleet opens slots. */
  const FOR_TWO = 9 / 8

  const shared = (own: number, others: number, ready: number): Sample =>
    sampleOf({
      slots: own,
      busy: own,
      queues: new Map([['q', queueOf({ ready, consumers: own + others, ownConsumers: own })]]),
    })
  /** Of tasks so long that each message wants a slot. */
  const share = (own: number, others: number, ready: number): number =>
    slotsNeeded(NO_ESTIMATE, shared(own, others, ready), 1000).slots

  it('is an eighth of what the fleet lacks on top of what it has', () => {
    expect(share(2, 2, 80)).toBe(2 + (84 * FOR_TWO - 4) / 8)
    expect(share(2, 18, 80)).toBe(2 + (100 * FOR_TWO - 20) / 8)
  })

  it('is a whole slot more as long as a fraction is missing', () => {
    expect(share(4, 5, 1)).toBe(4 + Math.min(1, (10 * FOR_TWO - 5) * 0.8 - 4))
  })

  it('is at most four fifths of what the others leave', () => {
    expect(share(88, 12, 0)).toBeCloseTo((100 * FOR_TWO - 12) * 0.8, 6)
    expect(share(50, 50, 0)).toBeCloseTo((100 * FOR_TWO - 50) * 0.8, 6)
  })

  it('is never negative', () => {
    const idle = sampleOf({ queues: new Map([['q', queueOf({ ready: 1, consumers: 200, ownConsumers: 2 })]]) })
    expect(slotsNeeded(known(20), idle, 1000).slots).toBe(0)
  })

  it('is told beside what it would be alone', () => {
    expect(slotsNeeded(NO_ESTIMATE, shared(2, 2, 80), 1000).alone).toBe(82)
  })

  it.each([2, 3, 8])(
    'is the same for each of %p workers, whatever they have first, and in sum what is needed, or a little more',
    (workers) => {
      const load = 400
      const slots: number[] = Array.from({ length: workers }, (_, index) => (index === 0 ? 380 : 2))
      for (let round = 0; round < 400; round++) {
        for (const [index, own] of slots.entries()) {
          const all = slots.reduce((sum, each) => sum + each, 0)
          // A load of 400 slots, dealt out by consumers as far as they go.
          const busy = Math.min(own, (load * own) / all)
          const sample = { ...shared(own, all - own, Math.max(0, load - all)), busy }
          slots[index] = slotsNeeded(NO_ESTIMATE, sample, 1000).slots
        }
      }
      const sum = slots.reduce((total, each) => total + each, 0)
      expect(Math.max(...slots) / Math.min(...slots)).toBeLessThan(1.02)
      expect(sum / load).toBeGreaterThan(0.999)
      expect(sum / load).toBeLessThan(FOR_TWO)
    },
  )

  it('counts for each queue by itself', () => {
    const queues = new Map([
      ['own', queueOf({ ready: 100, consumers: 5, ownConsumers: 5 })],
      ['shared', queueOf({ ready: 0, consumers: 500, ownConsumers: 5 })],
    ])
    expect(slotsNeeded(NO_ESTIMATE, sampleOf({ slots: 9, queues }), 1000).slots).toBe(100)
  })

  it('counts what runs for the queue that it came from', () => {
    const queues = new Map([
      ['shared', queueOf({ ready: 0, consumers: 6, ownConsumers: 3, busy: 3 })],
      ['own', queueOf({ ready: 0, consumers: 5, ownConsumers: 5, busy: 1 })],
    ])
    const sample = sampleOf({ slots: 8, busy: 4, queues })
    // The fleet runs 6 of the shared queue, of which the others' 3 consumers cover 3.
    expect(slotsNeeded(NO_ESTIMATE, sample, 1000).slots).toBeCloseTo(1 + (6 * FOR_TWO - 3) * 0.8, 6)
  })

  it('takes a consumer of others for as many slots as one of its own', () => {
    const queues = new Map([['q', queueOf({ ready: 100, consumers: 2, ownConsumers: 1 })]])
    const need = slotsNeeded(NO_ESTIMATE, sampleOf({ slots: 20, queues }), 1000)
    expect(need.slots).toBeCloseTo(20 + (100 * FOR_TWO - 40) / 8, 6)
  })
})
