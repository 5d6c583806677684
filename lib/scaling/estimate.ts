import type { Sample } from './sample.js'

/** The controller's estimate of the load, from cumulative counts that are read at irregular times. */
export interface Estimate {
  /** Messages per millisecond that reach this worker's queues, less those that other workers take. */
  readonly ratePerMs: number
  /** The rate of the last moments. */
  readonly recentRatePerMs: number
  /** Runs that ended recently. */
  readonly ended: Runs
  /**
   * Mean time of the very last runs; uncertain, but the first to show that runs have changed. Null before any run has
   * ended.
   */
  readonly recentMs: number | null
  readonly last: Sample | null
  /** The mean of the messages of each queue that wait or run. */
  readonly demands: ReadonlyMap<string, number>
  /**
   * Recent fraction of the time in which the event loop was busy, averaged: a single run fills the time between two
   * samples, or leaves it empty.
   */
  readonly loopUtilisation: number
  /** Milliseconds for which slots have been taken without any run ending. */
  readonly stuckMs: number
  /** Runs that ended since a time and aren't in `ended` yet. */
  readonly gathered: Runs & { readonly since: number }
}

/**
 * A number of runs, and the total milliseconds for which they took slots. Fractions are the remainders of older ones.
 */
interface Runs {
  readonly count: number
  readonly slotMs: number
}

/** Fewer runs than this tell too little of the service time; they are gathered for as long as this at most. */
const FEWEST_RUNS = 10
const GATHERED_MS = 5_000
/**
 * Memory of the rate, and of the service time, for which it is the longer of the two. It is long, because slots stay open for
 * the greatest need of the last keepalive: an uncertain mean would always be taken at its largest, and a burst for a rate. What
 * a slow mean misses meanwhile is seen all the same, since it waits.
 */
const MEMORY_MS = 10_000
const MEMORY_RUNS = 50
/** Memory of the last moments and the last runs, for which the shorter limit applies. */
const RECENT_MS = 1_000
const RECENT_RUNS = 50
/** Runs have changed when the last ones take this many times as long as before, or this many times less. */
const CHANGE = 2
/** Known service times expire when no run has ended for this many times as long. */
const STUCK = 5
/** Memory of the event loop's utilisation. */
const LOOP_MS = 150
/** Lower bound of the service time, for runs that end at once. */
const SHORTEST_SERVICE_MS = 0.01

export const NO_ESTIMATE: Estimate = {
  ratePerMs: 0,
  recentRatePerMs: 0,
  ended: { count: 0, slotMs: 0 },
  recentMs: null,
  last: null,
  demands: new Map(),
  loopUtilisation: 0,
  stuckMs: 0,
  gathered: { since: 0, count: 0, slotMs: 0 },
}

/** Returns the mean service time in milliseconds; null while too little is known, or when it has expired. */
export function expectedServiceMs({ ended, last, stuckMs }: Estimate): number | null {
  if (ended.count < FEWEST_RUNS) return null
  const meanMs = Math.max(ended.slotMs / ended.count, SHORTEST_SERVICE_MS)
  // No run has ended in a time in which this many should have: these runs differ from the known ones.
  if (stuckMs > STUCK * meanMs && stuckMs * (last?.busy ?? 0) > FEWEST_RUNS * meanMs) return null
  return Math.max(meanMs, stuckMs)
}

/** Adds a sample to the estimate. */
export function observe(estimate: Estimate, sample: Sample): Estimate {
  const { last } = estimate
  const { now } = sample
  if (last === null) return { ...estimate, last: sample, gathered: { since: now, count: 0, slotMs: 0 } }

  const elapsedMs = Math.max(0, now - last.now)
  const arrived = arrivals(last, sample)
  const count = sample.completed - last.completed
  const gathered = {
    since: estimate.gathered.since,
    count: estimate.gathered.count + count,
    slotMs: estimate.gathered.slotMs + slotMsOfEnded(last, sample, elapsedMs),
  }
  const observed = {
    ...estimate,
    ratePerMs: decayedRate(estimate.ratePerMs, arrived, elapsedMs, MEMORY_MS),
    recentRatePerMs: decayedRate(estimate.recentRatePerMs, arrived, elapsedMs, RECENT_MS),
    stuckMs: count > 0 || Math.min(last.busy, sample.busy) === 0 ? 0 : estimate.stuckMs + elapsedMs,
    last: sample,
    demands: new Map(
      [...sample.queues].map(([name, { busy, ready }]) => [
        name,
        towards(estimate.demands.get(name) ?? 0, busy + ready, 1 - Math.exp(-elapsedMs / MEMORY_MS)),
      ]),
    ),
    loopUtilisation: towards(estimate.loopUtilisation, sample.loopUtilisation, 1 - Math.exp(-elapsedMs / LOOP_MS)),
    gathered,
  }
  const gatheredMs = now - gathered.since
  if (gathered.count <= 0 || (gathered.count < FEWEST_RUNS && gatheredMs < GATHERED_MS)) return observed
  return { ...observed, ...withRuns(estimate, gathered, gatheredMs), gathered: { since: now, count: 0, slotMs: 0 } }
}

/** Returns the messages that the broker has delivered to nobody. */
export function depthOf(sample: Sample): number {
  let depth = 0
  for (const { ready } of sample.queues.values()) depth += ready
  return depth
}

/** Returns the messages that wait only for a slot, in the broker and here. */
export function waiting(sample: Sample): number {
  return sample.reserved + (sample.intakeStopped ? 0 : depthOf(sample))
}

/** Returns how many slots each queue could use: for what waits and runs now, or for the mean of that. */
export function demandsOf({ demands }: Estimate, sample: Sample): Map<string, number> {
  return new Map(
    [...sample.queues].map(([name, { busy, ready }]) => [name, Math.max(busy + ready, demands.get(name) ?? 0)]),
  )
}

/** Counts the arrivals between two samples: messages received, and the growth of the queues. */
function arrivals(before: Sample, after: Sample): number {
  let count = after.received - before.received
  for (const [name, { ready }] of after.queues) {
    const earlier = before.queues.get(name)
    if (earlier) count += ready - earlier.ready
  }
  return Math.max(0, count)
}

/**
 * Each message weighs `1 / memory` when it comes and fades from then on, so that short and long steps between samples
 * count alike.
 */
function decayedRate(ratePerMs: number, count: number, elapsedMs: number, memoryMs: number): number {
  const kept = Math.exp(-elapsedMs / memoryMs)
  return ratePerMs * kept + (elapsedMs > 0 ? (count * (1 - kept)) / elapsedMs : count / memoryMs)
}

/** Returns the milliseconds for which the runs that ended took slots. */
function slotMsOfEnded(before: Sample, after: Sample, elapsedMs: number): number {
  const endedMs = after.serviceMsTotal - before.serviceMsTotal
  const waited = Math.min(waiting(before), waiting(after))
  if (waited === 0 || waited < after.slots) return endedMs
  // With so much waiting, a slot without a run waits for the round trip to the broker that brings the next message.
  // That time belongs to a run, too: it is what makes slots count for very short tasks.
  const workMs = Math.max(0, endedMs + after.runningMs - before.runningMs)
  const served = after.slots - Math.max(before.excess ?? 0, after.excess ?? 0)
  return endedMs + Math.max(0, served * elapsedMs - workMs) * partThatRan(before, after)
}

/** Returns which part of the messages that were looked at got a slot: those that were parked were waited for as well. */
function partThatRan(before: Sample, after: Sample): number {
  const lookedAt = after.received - before.received - (after.reserved - before.reserved)
  const begun = Math.max(0, after.completed - before.completed + after.busy - before.busy)
  return lookedAt > begun ? begun / lookedAt : 1
}

/** Adds runs. If the last ones differ strongly, those before them are forgotten. */
function withRuns({ ended, recentMs }: Estimate, more: Runs, elapsedMs: number): Pick<Estimate, 'ended' | 'recentMs'> {
  const meanMs = more.slotMs / more.count
  // By time as well as by number: by number alone, thousands of short runs would hide for long that runs have become
  // slow.
  const weight = Math.max(1 - Math.exp(-elapsedMs / RECENT_MS), more.count / (RECENT_RUNS + more.count))
  const recent = recentMs === null ? meanMs : towards(recentMs, meanMs, weight)
  const kept = Math.exp(-Math.min(elapsedMs / MEMORY_MS, more.count / MEMORY_RUNS))
  const sum = { count: ended.count * kept + more.count, slotMs: ended.slotMs * kept + more.slotMs }
  const mean = sum.slotMs / sum.count
  const hasChanged = recent > CHANGE * mean || recent * CHANGE < mean
  const count = more.count < FEWEST_RUNS ? more.count : RECENT_RUNS
  return { ended: hasChanged ? { count, slotMs: count * recent } : sum, recentMs: recent }
}

function towards(from: number, to: number, part: number): number {
  return from + part * (to - from)
}
