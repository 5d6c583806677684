import { describe, expect, it } from '@jest/globals'
import type { Reason } from '../../lib/scaling/controller.js'
import { celeriac, celery, fixed, type Policy } from './policies.js'
import type { Arrival, Score, WorkerScore } from './scenario.js'
import { simulate } from './simulation.js'
import { burst, poisson } from './traces.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
/** What a wait is to stay within, by default. */
const TARGET = SECOND

function play(arrivals: readonly Arrival[], untilMs: number, policies: Policy[], queues = ['q']): Score {
  return simulate({ queues, arrivals, untilMs, workers: policies.map((policy) => ({ policy })) })
}

function only({ workers: [worker] }: Score): WorkerScore {
  if (!worker) throw new Error('the scenario has no worker')
  return worker
}

function steady(perSecond: number, serviceMs: number, untilMs: number, seed = 1): Arrival[] {
  return poisson({ rate: () => perSecond, peakRate: perSecond, untilMs, serviceMs: () => serviceMs }, seed)
}

/** The smaller of two numbers as a part of the larger. */
function likeness(one = 0, other = 0): number {
  return Math.min(one, other) / Math.max(one, other)
}

describe('the simulator', () => {
  it('runs a burst on fixed slots in rounds', () => {
    const score = play(burst(2000, 20, 500), 10 * SECOND, [fixed(100)])
    expect(score.doneMs).toBe(500 + 20 * 20)
    expect(score.meanWaitMs).toBe(190)
    expect(score.p95WaitMs).toBe(360)
    expect(only(score)).toMatchObject({ peakSlots: 100, slotSeconds: 1000, resizes: 0, completed: 2000 })
  })

  it('deals messages out over consumers, not over workers', () => {
    const { workers } = play(burst(4000, 20), SECOND, [fixed(30), fixed(10)])
    expect(workers.map(({ completed }) => completed)).toEqual([3000, 1000])
  })

  it('makes the same of the same seed, and something else of another', () => {
    const of = (seed: number): Score => play(steady(50, 100, MINUTE, seed), MINUTE, [celeriac()])
    const flat = ({ workers, ...rest }: Score): unknown => [
      rest,
      workers.map(({ slotsAt, ...counts }) => [counts, slotsAt(30_000)]),
    ]
    expect(flat(of(7))).toEqual(flat(of(7)))
    expect(flat(of(7))).not.toEqual(flat(of(8)))
  })
})

describe('a burst of 2000 messages of 20 ms, with --autoscale=100,2', () => {
  const at = 500
  const arrivals = burst(2000, 20, at)
  const untilMs = 100 * SECOND
  const byFixed = play(arrivals, untilMs, [fixed(100)])
  const reasons: Reason[] = []
  const ours = play(arrivals, untilMs, [celeriac({}, reasons)])
  const theirs = play(arrivals, untilMs, [celery(100, 2)])

  it('is drained nearly as fast as by 100 slots that are always there', () => {
    expect(ours.doneMs - at).toBeLessThanOrEqual(1.15 * (byFixed.doneMs - at))
    expect(ours.p95WaitMs).toBeLessThanOrEqual(1.15 * byFixed.p95WaitMs)
  })

  it('is followed in few steps: up at once, and back at the minimum after the keepalive', () => {
    expect(only(ours).resizes).toBeLessThanOrEqual(10)
    expect(only(ours).slotsAt(at)).toBe(100)
    expect(only(ours).slotsAt(at + 30 * SECOND)).toBe(100)
    expect(only(ours).slotsAt(at + 35 * SECOND)).toBe(2)
    expect(reasons[0]).toBe('backlog')
    expect(new Set(reasons.slice(1))).toEqual(new Set(['idle']))
  })

  it('costs a small part of what fixed slots cost', () => {
    expect(only(ours).slotSeconds).toBeLessThan(0.35 * only(byFixed).slotSeconds)
  })

  it("is followed by Celery's rule with a step for each slot", () => {
    expect(theirs.doneMs).toBe(byFixed.doneMs)
    expect(only(theirs).resizes).toBeGreaterThan(90)
    expect(only(theirs).resizes).toBeGreaterThan(20 * only(ours).resizes)
  })

  it('is drained as fast by a worker that knows of nothing but much shorter runs', () => {
    const noops = steady(500, 1, 10 * SECOND)
    const after = burst(2000, 20, MINUTE)
    const score = play([...noops, ...after], 3 * MINUTE, [celeriac()])
    expect(score.doneMs - MINUTE).toBeLessThanOrEqual(1.15 * (byFixed.doneMs - at))
    expect(only(score).resizes).toBeLessThanOrEqual(10)
    expect(only(score).slotsAt(MINUTE + 36 * SECOND)).toBe(2)
  })

  it('is drained well within the target by a worker that knows the service time already', () => {
    const warmAt = MINUTE
    const warm = play([...burst(100, 20, at), ...burst(2000, 20, warmAt)], 150 * SECOND, [celeriac()])
    expect(warm.doneMs - warmAt).toBeLessThanOrEqual(1000)
    expect(only(warm).slotsAt(warmAt)).toBeLessThanOrEqual(44)
  })
})

describe('a second burst within a minute of the first', () => {
  const arrivals = [...burst(2000, 20, 0), ...burst(200, 20, 31 * SECOND)]

  it("leaves Celery's rule with more slots for longer", () => {
    const ours = only(play(arrivals, 3 * MINUTE, [celeriac()]))
    const theirs = only(play(arrivals, 3 * MINUTE, [celery(100, 2)]))
    expect(ours.slotSeconds).toBeLessThan(0.8 * theirs.slotSeconds)
    expect(ours.slotsAt(40 * SECOND)).toBeLessThan(20)
    expect(theirs.slotsAt(40 * SECOND)).toBe(100)
  })
})

describe('a steady load', () => {
  it.each([
    ['500 a second of 20 ms', 500, 20],
    ['50 a second of 200 ms', 50, 200],
    ['5 a second of 2 s', 5, 2000],
  ])('of %s waits far less than the target and has 10 busy slots and a margin', (_, perSecond, serviceMs) => {
    const score = play(steady(perSecond, serviceMs, 4 * MINUTE), 4 * MINUTE, [celeriac()])
    expect(score.p95WaitMs).toBeLessThan(400)
    expect(score.meanWaitMs).toBeLessThan(60)
    expect(only(score).resizes).toBeLessThan(40)
    for (const minute of [1, 2, 3]) {
      expect(only(score).slotsAt(minute * MINUTE)).toBeGreaterThanOrEqual(11)
      expect(only(score).slotsAt(minute * MINUTE)).toBeLessThanOrEqual(16)
    }
  })

  it('of a message now and then needs no more than the minimum', () => {
    const score = play(steady(1, 20, 5 * MINUTE), 5 * MINUTE, [celeriac()])
    expect(only(score)).toMatchObject({ peakSlots: 2, resizes: 0 })
  })

  it('that no number of slots can bear takes the maximum and no more', () => {
    const score = play(steady(200, 1000, 20 * SECOND), 20 * SECOND, [celeriac()])
    expect(only(score).peakSlots).toBe(100)
    expect(only(score).slotsAt(3 * SECOND)).toBe(100)
  })
})

describe('a load that comes and goes', () => {
  function onOff(onMs: number, offMs: number, untilMs: number): Arrival[] {
    const rate = (ms: number): number => (ms % (onMs + offMs) < onMs ? 400 : 0)
    return poisson({ rate, peakRate: 400, untilMs, serviceMs: () => 50 }, 2)
  }

  it('within the keepalive keeps its slots', () => {
    const untilMs = 5 * MINUTE
    const score = play(onOff(10 * SECOND, 10 * SECOND, untilMs), untilMs, [celeriac()])
    expect(score.p95WaitMs).toBeLessThan(TARGET)
    expect(only(score).resizes).toBeLessThan(60)
    for (let ms = 20 * SECOND; ms < untilMs - 30 * SECOND; ms += SECOND) {
      expect(only(score).slotsAt(ms)).toBeGreaterThanOrEqual(15)
    }
  })

  it('just past the keepalive waits again each time, within the target', () => {
    const untilMs = 7 * MINUTE
    const arrivals = onOff(10 * SECOND, 31 * SECOND, untilMs)
    const ours = play(arrivals, untilMs, [celeriac()])
    const theirs = play(arrivals, untilMs, [celery(100, 2)])
    expect(ours.p95WaitMs).toBeLessThan(TARGET)
    expect(only(ours).peakSlots).toBeLessThanOrEqual(31)
    expect(only(ours).slotSeconds).toBeLessThan(only(theirs).slotSeconds)
    expect(only(ours).resizes).toBeLessThan(only(theirs).resizes / 2)
  })
})

describe('a service time that changes', () => {
  const changing = (perSecond: number, serviceMs: (ms: number) => number): Arrival[] =>
    poisson({ rate: () => perSecond, peakRate: perSecond, untilMs: 3 * MINUTE, serviceMs }, 2)

  it('is followed after a slow start', () => {
    const arrivals = changing(100, (ms) => (ms < 5 * SECOND ? 2000 : 20))
    const ours = play(arrivals, 3 * MINUTE, [celeriac()])
    const byFixed = play(arrivals, 3 * MINUTE, [fixed(100)])
    expect(ours.meanWaitMs).toBeLessThanOrEqual(byFixed.meanWaitMs + 100)
    expect(only(ours).peakSlots).toBe(100)
    expect(only(ours).slotsAt(50 * SECOND)).toBeLessThanOrEqual(10)
  })

  it('is followed when short runs become long', () => {
    const arrivals = changing(20, (ms) => (ms < MINUTE ? 20 : 2000))
    const ours = play(arrivals, 3 * MINUTE, [celeriac()])
    expect(ours.p95WaitMs).toBeLessThan(0.5 * TARGET)
    expect(only(ours).slotsAt(MINUTE - 1)).toBeLessThanOrEqual(5)
    expect(only(ours).slotsAt(MINUTE + 5 * SECOND)).toBeGreaterThanOrEqual(40)
    expect(only(ours).peakSlots).toBeLessThanOrEqual(80)
  })

  it('is known of long runs among many short ones', () => {
    const serviceMs = (_: number, random: () => number): number => (random() < 0.05 ? 5000 : 20)
    const arrivals = poisson({ rate: () => 100, peakRate: 100, untilMs: 3 * MINUTE, serviceMs }, 2)
    const ours = play(arrivals, 3 * MINUTE, [celeriac()])
    expect(ours.p95WaitMs).toBeLessThan(0.5 * TARGET)
    expect(only(ours).slotsAt(2 * MINUTE)).toBeLessThanOrEqual(60)
  })
})

describe('several queues', () => {
  const arrivals = [
    ...burst(1800, 20, 500, 'deep'),
    ...burst(200, 20, 500, 'shallow'),
    ...poisson({ queue: 'quiet', rate: () => 5, peakRate: 5, untilMs: MINUTE, serviceMs: () => 20 }, 4),
  ]
  const queues = ['deep', 'shallow', 'quiet']

  it('share the slots by depth, and are drained together as by fixed slots', () => {
    const ours = play(arrivals, MINUTE, [celeriac()], queues)
    const byFixed = play(arrivals, MINUTE, [fixed(100)], queues)
    expect(ours.p95WaitMs).toBeLessThanOrEqual(1.15 * byFixed.p95WaitMs)
    expect(only(ours).completed).toBe(arrivals.length)
  })

  it('are all heard by a single slot', () => {
    const each = [...burst(5, 20, 100, 'deep'), ...burst(5, 20, 100, 'shallow'), ...burst(5, 20, 100, 'quiet')]
    const score = play(each, SECOND, [celeriac({ min: 1, max: 1 })], queues)
    expect(score.doneMs).toBe(100 + 15 * 20)
    expect(only(score).peakSlots).toBe(1)
  })
})

describe('several workers on one queue', () => {
  it('share a burst', () => {
    const score = play(burst(2000, 20, 500), MINUTE, [celeriac(), celeriac()])
    const [one, other] = score.workers
    expect(likeness(one?.completed, other?.completed)).toBeGreaterThan(0.8)
    expect(score.doneMs).toBeLessThanOrEqual(500 + 1.15 * 200)
  })

  it.each([
    ['500 a second of 100 ms', 500, 100],
    ['20 a second of 3 s', 20, 3000],
    ['100 a second of 100 ms', 100, 100],
  ])('share a steady load of %s within 20 %', (_, perSecond, serviceMs) => {
    const arrivals = steady(perSecond, serviceMs, 4 * MINUTE)
    const both = play(arrivals, 4 * MINUTE, [celeriac(), celeriac()])
    const alone = play(arrivals, 4 * MINUTE, [celeriac()])
    const [one, other] = both.workers
    expect(likeness(one?.completed, other?.completed)).toBeGreaterThan(0.8)
    expect(likeness(one?.slotSeconds, other?.slotSeconds)).toBeGreaterThan(0.8)
    // The two together have about what one alone would have.
    const together = (one?.slotSeconds ?? 0) + (other?.slotSeconds ?? 0)
    expect(together / only(alone).slotSeconds).toBeGreaterThan(0.85)
    expect(together / only(alone).slotSeconds).toBeLessThan(1.15)
    expect(both.p95WaitMs).toBeLessThan(TARGET)
  })

  it('come to the same share when one has joined a loaded one', () => {
    const untilMs = 9 * MINUTE
    const { p95WaitMs, workers } = simulate({
      queues: ['q'],
      arrivals: steady(500, 100, untilMs),
      untilMs,
      workers: [{ policy: celeriac() }, { policy: celeriac(), joinsAt: MINUTE }],
    })
    const [first, second] = workers
    expect(first?.slotsAt(MINUTE)).toBeGreaterThan(50)
    for (const minute of [7, 8, 9]) {
      const [one, other] = [first?.slotsAt(minute * MINUTE - 1), second?.slotsAt(minute * MINUTE - 1)]
      expect(likeness(one, other)).toBeGreaterThan(0.8)
      expect((one ?? 0) + (other ?? 0)).toBeGreaterThanOrEqual(50)
    }
    expect(p95WaitMs).toBeLessThan(TARGET)
  })

  it('do not open a multiple of what is needed, however many they are', () => {
    const untilMs = 2 * MINUTE
    const policies = Array.from({ length: 5 }, () => celeriac())
    const { p95WaitMs, workers } = play(steady(500, 100, untilMs), untilMs, policies)
    for (const ms of [2 * SECOND, 10 * SECOND, MINUTE, untilMs - 1]) {
      expect(workers.reduce((sum, worker) => sum + worker.slotsAt(ms), 0)).toBeLessThan(75)
    }
    expect(p95WaitMs).toBeLessThan(TARGET)
  })

  it('leave the load to the one that may grow', () => {
    const score = play(steady(500, 100, 2 * MINUTE), 2 * MINUTE, [celeriac(), fixed(2)])
    expect(score.p95WaitMs).toBeLessThan(1.1 * TARGET)
    expect(only(score).slotsAt(MINUTE)).toBeGreaterThanOrEqual(46)
  })
})
