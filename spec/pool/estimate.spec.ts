import { describe, expect, it } from '@jest/globals'
import type { Sample } from '../../lib/pool/controller.js'
import { type Estimate, expectedServiceMs, NO_ESTIMATE, observe, waiting } from '../../lib/pool/estimate.js'
import { queueOf, sampleOf } from './sample.js'

function observeAll(samples: readonly Sample[], from: Estimate = NO_ESTIMATE): Estimate {
  return samples.reduce(observe, from)
}

/** Samples of a load that stays as it is, `stepMs` apart. */
function steady(
  count: number,
  stepMs: number,
  perSecond: number,
  serviceMs: number,
  start: Sample = sampleOf(),
): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const runs = (perSecond * stepMs * (index + 1)) / 1000
    return sampleOf({
      now: start.now + stepMs * (index + 1),
      received: start.received + runs,
      completed: start.completed + runs,
      serviceMsTotal: start.serviceMsTotal + runs * serviceMs,
    })
  })
}

describe('the arrival rate', () => {
  it('is 0 after one sample, however much waits: that may have been there for long', () => {
    expect(observe(NO_ESTIMATE, sampleOf({ ready: 5000, received: 10 })).ratePerMs).toBe(0)
  })

  it.each([10, 100, 1000, 3000])('is found by samples that are %p ms apart', (stepMs) => {
    const { ratePerMs } = observeAll([sampleOf(), ...steady(20_000 / stepMs, stepMs, 500, 20)])
    expect(ratePerMs).toBeCloseTo(0.5, 3)
  })

  it('counts what still waits in the broker', () => {
    const samples = Array.from({ length: 20 }, (_, second) => sampleOf({ now: second * 1000, ready: second * 300 }))
    expect(observeAll(samples).ratePerMs).toBeCloseTo(0.3, 3)
  })

  it('does not count what was in the broker before and is received now', () => {
    const samples = [sampleOf({ ready: 5000 }), sampleOf({ now: 1000, ready: 4000, received: 1000 })]
    expect(observeAll(samples).ratePerMs).toBe(0)
  })

  it('does not count what a queue held before it was consumed', () => {
    const queues = new Map([
      ['q', queueOf()],
      ['new', queueOf({ ready: 9000 })],
    ])
    expect(observeAll([sampleOf(), sampleOf({ now: 1000, queues })]).ratePerMs).toBe(0)
  })

  it('is never negative, when a queue is purged or others take from it', () => {
    expect(observeAll([sampleOf({ ready: 5000 }), sampleOf({ now: 1000, ready: 0 })]).ratePerMs).toBe(0)
  })

  it('counts messages of two samples at the same moment', () => {
    const { ratePerMs } = observeAll([sampleOf(), sampleOf({ received: 100 })])
    expect(ratePerMs).toBeCloseTo(0.1, 6)
  })

  it('has forgotten a burst after some seconds', () => {
    const burst = [sampleOf(), sampleOf({ now: 1, received: 2000 })]
    const msLater = (ms: number): Estimate => observeAll([...burst, sampleOf({ now: 1 + ms, received: 2000 })])
    expect(msLater(0).ratePerMs).toBeCloseTo(2, 2)
    expect(msLater(5000).ratePerMs).toBeLessThan(0.02)
  })
})

describe('the service time', () => {
  it('is unknown before ten runs have ended', () => {
    const samples = (runs: number): Sample[] => [
      sampleOf(),
      sampleOf({ now: 6000, completed: runs, serviceMsTotal: runs * 20 }),
    ]
    expect(expectedServiceMs(observeAll(samples(9)))).toBeNull()
    expect(expectedServiceMs(observeAll(samples(10)))).toBe(20)
  })

  it('is at least that of no time', () => {
    expect(expectedServiceMs(observeAll([sampleOf(), ...steady(5, 1000, 500, 0)]))).toBe(0.01)
  })

  it('follows runs that become fast', () => {
    const slow = observeAll([sampleOf(), ...steady(20, 1000, 10, 2000)])
    expect(expectedServiceMs(slow)).toBeCloseTo(2000, 6)
    const last = slow.last ?? sampleOf()
    expect(expectedServiceMs(observeAll(steady(3, 1000, 500, 20, last), slow))).toBeLessThan(30)
  })

  it('follows runs that become slow, although the fast ones before were many', () => {
    const fast = observeAll([sampleOf(), ...steady(60, 1000, 1000, 20)])
    const last = fast.last ?? sampleOf()
    expect(expectedServiceMs(observeAll(steady(6, 1000, 20, 2000, last), fast))).toBeGreaterThan(1800)
  })

  it('is at least as long as nothing has ended', () => {
    const fast = observeAll([sampleOf({ busy: 2 }), ...steady(5, 1000, 100, 20)])
    const last = fast.last ?? sampleOf()
    const stuck = [1000, 2000, 3000].map((ms) => sampleOf({ ...last, now: last.now + ms, busy: 2 }))
    // Busy at both ends of two intervals of three.
    expect(expectedServiceMs(observeAll(stuck, fast))).toBe(2000)
    const ended = sampleOf({ ...last, now: last.now + 3500, busy: 2, completed: last.completed + 1 })
    expect(expectedServiceMs(observeAll([...stuck, ended], fast))).toBe(20)
  })

  it('does not grow while nothing runs', () => {
    const known = observeAll([sampleOf(), ...steady(5, 1000, 100, 20)])
    const last = known.last ?? sampleOf()
    expect(expectedServiceMs(observe(known, sampleOf({ ...last, now: last.now + 600_000 })))).toBeCloseTo(20, 6)
  })

  it('counts slots that long runs hold while short ones go on beside them', () => {
    const samples = Array.from({ length: 10 }, (_, second) =>
      sampleOf({ now: second * 1000, slots: 20, busy: 20, completed: second * 100, serviceMsTotal: second * 100 * 20 }),
    )
    // 20 slots for a second give 100 runs: a run costs 200 ms of a slot, whatever those 100 took.
    expect(expectedServiceMs(observeAll(samples))).toBeCloseTo(200, 6)
  })

  it('counts the way to the broker and back while messages wait there', () => {
    const samples = Array.from({ length: 10 }, (_, second) =>
      sampleOf({ now: second * 1000, ready: 9000, slots: 4, completed: second * 1000, serviceMsTotal: second * 10 }),
    )
    expect(expectedServiceMs(observeAll(samples))).toBeCloseTo(4, 6)
  })
})

describe('what waits', () => {
  const queues = new Map([
    ['a', queueOf({ ready: 10 })],
    ['b', queueOf({ ready: 5 })],
  ])

  it('is what is ready in any queue, and what was received and has no slot', () => {
    expect(waiting(sampleOf({ queues, reserved: 2, parked: 100, busy: 7 }))).toBe(17)
  })

  it('is not what the broker holds when it cannot be taken', () => {
    expect(waiting(sampleOf({ queues, reserved: 2, intakeStopped: true }))).toBe(2)
  })
})
