import { describe, expect, it } from '@jest/globals'
import type { Sample } from '../../lib/pool/controller.js'
import { type Estimate, NO_ESTIMATE } from '../../lib/pool/estimate.js'
import { slotsNeeded } from '../../lib/pool/need.js'
import { queueOf, sampleOf } from './sample.js'

function known(serviceMs: number, perSecond = 0): Estimate {
  return { ...NO_ESTIMATE, serviceMs, runs: 100, ratePerMs: perSecond / 1000 }
}

describe('the slots of a worker that is alone', () => {
  it.each([
    ['nothing to do', known(20), sampleOf(), 0],
    ['1000 short messages that wait', known(20), sampleOf({ ready: 1000 }), 1000 * (20 / 1020)],
    ['as many in the broker as here', known(20), sampleOf({ ready: 600, reserved: 400 }), 1000 * (20 / 1020)],
    ['long ones', known(60_000), sampleOf({ ready: 30, busy: 2 }), 32 * (60 / 61)],
    ['an unknown service time', NO_ESTIMATE, sampleOf({ ready: 30, busy: 2 }), 32],
    ['parked messages', known(20), sampleOf({ parked: 500 }), 0],
    ['a steady load', known(20, 500), sampleOf({ busy: 10 }), 10 + Math.sqrt(10)],
    ['a steady load of long ones', known(10_000, 4), sampleOf({ busy: 40 }), 44],
    ['a steady load and a backlog', known(20, 500), sampleOf({ ready: 2000 }), 10 + Math.sqrt(10) + 2000 * (20 / 1020)],
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

  it('look ahead for as long as nothing has ended, at most to the target, while the service time is unknown', () => {
    const stuckFor = (stuckMs: number): number =>
      slotsNeeded({ ...NO_ESTIMATE, ratePerMs: 0.02, stuckMs }, sampleOf({ ready: 1, busy: 4 }), 1000).slots
    expect([stuckFor(0), stuckFor(500), stuckFor(60_000)]).toEqual([5, 15, 25])
  })

  it('are of no queue when there is none', () => {
    expect(slotsNeeded(NO_ESTIMATE, sampleOf({ queues: new Map(), busy: 3 }), 1000).slots).toBe(3)
  })

  it('tell which part is for what waits', () => {
    const need = slotsNeeded(known(1000, 8), sampleOf({ ready: 10, reserved: 2, busy: 8 }), 1000)
    expect(need.backlog).toBe(6)
    expect(need.alone).toBe(5 + Math.min(8 + Math.sqrt(8), 18))
  })
})

describe('the share of a worker among others', () => {
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
    expect(share(2, 2, 80)).toBe(2 + 80 / 8)
    expect(share(2, 18, 80)).toBe(2 + 80 / 8)
  })

  it('is at most four fifths of what the others leave', () => {
    expect(share(88, 12, 0)).toBeCloseTo(88 * 0.8, 6)
    expect(share(50, 50, 0)).toBeCloseTo(50 * 0.8, 6)
  })

  it('is never negative', () => {
    const idle = sampleOf({ queues: new Map([['q', queueOf({ ready: 1, consumers: 200, ownConsumers: 2 })]]) })
    expect(slotsNeeded(known(20), idle, 1000).slots).toBe(0)
  })

  it('is told beside what it would be alone', () => {
    expect(slotsNeeded(NO_ESTIMATE, shared(2, 2, 80), 1000).alone).toBe(82)
  })

  it.each([2, 3, 8])(
    'is the same for each of %p workers, whatever they have first, and near the need in sum',
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
      expect(sum / load).toBeGreaterThan(0.88)
      expect(sum / load).toBeLessThan(1)
    },
  )

  it('counts for each queue by itself', () => {
    const queues = new Map([
      ['own', queueOf({ ready: 100, consumers: 5, ownConsumers: 5 })],
      ['shared', queueOf({ ready: 0, consumers: 500, ownConsumers: 5 })],
    ])
    expect(slotsNeeded(NO_ESTIMATE, sampleOf({ slots: 9, queues }), 1000).slots).toBe(100)
  })

  it('takes a consumer of others for as many slots as one of its own', () => {
    const queues = new Map([['q', queueOf({ ready: 100, consumers: 2, ownConsumers: 1 })]])
    const need = slotsNeeded(NO_ESTIMATE, sampleOf({ slots: 20, queues }), 1000)
    expect(need.slots).toBeCloseTo(20 + (100 - 40) / 8, 6)
  })
})
