import { describe, expect, it } from '@jest/globals'
import {
  demandsOf,
  type Estimate,
  expectedServiceMs,
  NO_ESTIMATE,
  observe,
  waiting,
} from '../../lib/scaling/estimate.js'
import type { Sample } from '../../lib/scaling/sample.js'
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
    const { ratePerMs } = observeAll([sampleOf(), ...steady(99_000 / stepMs, stepMs, 500, 20)])
    expect(ratePerMs).toBeCloseTo(0.5, 3)
  })

  it('is half known after 7 s', () => {
    const { ratePerMs } = observeAll([sampleOf(), ...steady(7, 1000, 500, 20)])
    expect(ratePerMs).toBeCloseTo(0.5 * (1 - Math.exp(-0.7)), 6)
  })

  it('counts what still waits in the broker', () => {
    const samples = Array.from({ length: 100 }, (_, second) => sampleOf({ now: second * 1000, ready: second * 300 }))
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
    expect(ratePerMs).toBeCloseTo(100 / 10_000, 9)
  })

  it('takes a burst for a small rate, and forgets it', () => {
    const burst = [sampleOf(), sampleOf({ now: 1, received: 2000 })]
    const msLater = (ms: number): Estimate => observeAll([...burst, sampleOf({ now: 1 + ms, received: 2000 })])
    expect(msLater(0).ratePerMs).toBeCloseTo(2 / 10, 3)
    expect(msLater(60_000).ratePerMs).toBeLessThan(0.0005)
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
    const known = observeAll([sampleOf({ busy: 2 }), ...steady(20, 1000, 1, 2000)])
    const last = known.last ?? sampleOf()
    const stuck = [1, 2, 3, 4].map((second) => sampleOf({ ...last, now: last.now + second * 1000, busy: 2 }))
    // Busy at both ends of three intervals of four.
    expect(expectedServiceMs(observeAll(stuck, known))).toBe(3000)
    const ended = sampleOf({ ...last, now: last.now + 4500, busy: 2, completed: last.completed + 1 })
    expect(expectedServiceMs(observeAll([...stuck, ended], known))).toBeCloseTo(2000, 6)
  })

  it('is unknown again when none has ended for five times as long', () => {
    const known = observeAll([sampleOf(), ...steady(20, 1000, 1000, 1)])
    const last = known.last ?? sampleOf()
    const begun = sampleOf({ ...last, now: last.now + 1, busy: 4 })
    const msLater = (ms: number): number | null =>
      expectedServiceMs(observeAll([begun, { ...begun, now: last.now + ms }], known))
    expect([msLater(6), msLater(7)]).toEqual([5, null])
  })

  it('is unknown again when a few runs took another time, and known when ten did', () => {
    const known = observeAll([sampleOf(), ...steady(20, 1000, 1000, 1)])
    const last = known.last ?? sampleOf()
    const knownAfter = (runs: number): number | null =>
      expectedServiceMs(
        observe(known, {
          ...last,
          now: last.now + 6000,
          completed: last.completed + runs,
          serviceMsTotal: last.serviceMsTotal + runs * 20,
        }),
      )
    expect(knownAfter(2)).toBeNull()
    expect(knownAfter(10)).toBeCloseTo(20, 0)
  })

  it('does not grow while nothing runs', () => {
    const known = observeAll([sampleOf(), ...steady(5, 1000, 100, 20)])
    const last = known.last ?? sampleOf()
    expect(expectedServiceMs(observe(known, sampleOf({ ...last, now: last.now + 600_000 })))).toBeCloseTo(20, 6)
  })

  it('is that of runs that have ended, whatever others hold', () => {
    const samples = Array.from({ length: 10 }, (_, second) =>
      sampleOf({
        now: second * 1000,
        slots: 20,
        busy: 20,
        completed: second * 100,
        serviceMsTotal: second * 100 * 20,
        runningMs: second * 18_000,
      }),
    )
    expect(expectedServiceMs(observeAll(samples))).toBeCloseTo(20, 6)
  })

  it('is the mean of runs, not of the times between samples', () => {
    // A second with 90 runs of 15 ms, a second with 10 of 25 ms, and so on.
    let last = sampleOf()
    const samples = [last]
    for (let second = 1; second <= 400; second++) {
      const [runs, ms] = second % 2 ? [90, 15] : [10, 25]
      last = sampleOf({
        now: second * 1000,
        completed: last.completed + runs,
        serviceMsTotal: last.serviceMsTotal + runs * ms,
      })
      samples.push(last)
    }
    expect(Math.abs((expectedServiceMs(observeAll(samples)) ?? 0) - 16)).toBeLessThan(0.2)
  })

  it('does not take a dip between two samples for the way to the broker', () => {
    const samples = Array.from({ length: 10 }, (_, second) =>
      sampleOf({
        now: second * 1000,
        ready: 2,
        slots: 4,
        busy: 4,
        completed: second * 10,
        serviceMsTotal: second * 10 * 200,
      }),
    )
    expect(expectedServiceMs(observeAll(samples))).toBeCloseTo(200, 6)
  })

  it('counts the way to the broker and back while messages wait there', () => {
    const samples = Array.from({ length: 10 }, (_, second) =>
      sampleOf({ now: second * 1000, ready: 9000, slots: 4, completed: second * 1000, serviceMsTotal: second * 10 }),
    )
    expect(expectedServiceMs(observeAll(samples))).toBeCloseTo(4, 6)
  })
})

describe('the service time while messages wait for their order key', () => {
  /** One run of 100 ms after the other, in four slots, while messages wait in the broker. */
  const oneAfterTheOther = (parts: (second: number) => Partial<Sample>): Sample[] =>
    Array.from({ length: 10 }, (_, second) =>
      sampleOf({
        now: second * 1000,
        ready: 9000 - second * 500,
        slots: 4,
        busy: 1,
        completed: second * 10,
        serviceMsTotal: second * 1000,
        ...parts(second),
      }),
    )

  it('is not that of slots for which none of the messages that arrive may run', () => {
    const taken = oneAfterTheOther((second) => ({ received: second * 510, parked: second * 500 }))
    expect(expectedServiceMs(observeAll(taken))).toBeGreaterThan(100)
    expect(expectedServiceMs(observeAll(taken))).toBeLessThan(110)
  })

  it('is not that of slots for which nothing is taken in', () => {
    const held = oneAfterTheOther((second) => ({ received: 40 + second * 10, parked: 43, excess: 3 }))
    expect(expectedServiceMs(observeAll(held))).toBeCloseTo(100, 6)
  })
})

describe("the event loop's utilisation", () => {
  it('is that of the last moments, not of the last one', () => {
    const of = (utilisations: readonly number[], stepMs: number): number =>
      observeAll(
        [0, ...utilisations].map((loopUtilisation, index) => sampleOf({ now: index * stepMs, loopUtilisation })),
      ).loopUtilisation
    expect(of([1], 25)).toBeLessThan(0.2)
    expect(of([1, 1], 1000)).toBeGreaterThan(0.99)
    expect(of([1, 1, 0], 1000)).toBeLessThan(0.05)
  })
})

describe('the demand of a queue', () => {
  const demand = (samples: ReadonlyArray<{ now: number; ready?: number; busy?: number }>): number =>
    demandsOf(observeAll(samples.map(sampleOf)), sampleOf(samples.at(-1))).get('q') ?? Number.NaN

  it('is what waits and runs', () => {
    expect(demand([{ now: 0 }, { now: 1, ready: 5, busy: 2 }])).toBe(7)
  })

  it('is what usually does, when nothing does at the moment', () => {
    const usual = Array.from({ length: 60 }, (_, second) => ({ now: second * 1000, busy: 4 }))
    expect(demand([...usual, { now: 60_000 }])).toBeCloseTo(4 * Math.exp(-0.1), 1)
    expect(demand([...usual, { now: 60_000 }, { now: 160_000 }])).toBeLessThan(0.01)
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
