import type { Sample } from './controller.js'

/** What the controller believes of the load, from cumulative counts that are read at irregular times. */
export interface Estimate {
  /** Messages per millisecond that reach this worker's queues, less those that other workers take. */
  readonly ratePerMs: number
  /** Decaying mean of the time for which a run takes a slot; null before the first run has ended. */
  readonly serviceMs: number | null
  /** Runs seen to end, from which `serviceMs` comes. */
  readonly runs: number
  readonly last: Sample | null
  /** How long slots have been taken without any run coming to its end. */
  readonly stuckMs: number
  /** Where the counts stood when they were last put into `serviceMs`, and the slot-milliseconds taken since then. */
  readonly since: {
    readonly now: number
    readonly completed: number
    readonly serviceMsTotal: number
    readonly takenMs: number
  }
}

/** Fewer runs than this tell too little of the service time; they are gathered for as long as this at most. */
const FEWEST_RUNS = 10
const GATHERED_MS = 5_000
/** So many runs weigh as much as everything before them, however short the time in which they ended. */
const TELLING_RUNS = 50
/**
 * How long averages remember, in milliseconds: about as long as a run lasts. The slots that a rate asks for are the arrivals
 * of one run's time, and a shorter memory would take their chance ups and downs for changes.
 */
const SHORTEST_MEMORY_MS = 1_000
const LONGEST_MEMORY_MS = 30_000
/** Keeps the service time of runs that end at once from being nothing at all. */
const SHORTEST_SERVICE_MS = 0.01

export const NO_ESTIMATE: Estimate = {
  ratePerMs: 0,
  serviceMs: null,
  runs: 0,
  last: null,
  stuckMs: 0,
  since: { now: 0, completed: 0, serviceMsTotal: 0, takenMs: 0 },
}

/** The mean service time to reckon with, in milliseconds; null while too little is known. */
export function expectedServiceMs(estimate: Estimate): number | null {
  if (estimate.serviceMs === null || estimate.runs < FEWEST_RUNS) return null
  // Means know only of runs that have ended: as long as none ends, the running ones tell of a longer time.
  return Math.max(estimate.serviceMs, estimate.stuckMs, SHORTEST_SERVICE_MS)
}

/** Takes a sample in. */
export function observe(estimate: Estimate, sample: Sample): Estimate {
  const { last, since } = estimate
  const { now, completed, serviceMsTotal } = sample
  if (last === null) return { ...estimate, last: sample, since: { now, completed, serviceMsTotal, takenMs: 0 } }

  const elapsedMs = Math.max(0, now - last.now)
  const taken = takenSlots(last, sample)
  const takenMs = since.takenMs + taken * elapsedMs
  const observed = {
    ...estimate,
    ratePerMs: decayedRate(estimate, arrivals(last, sample), elapsedMs),
    stuckMs: completed > last.completed || taken === 0 ? 0 : estimate.stuckMs + elapsedMs,
    last: sample,
  }
  const ended = completed - since.completed
  if (ended <= 0 || (ended < FEWEST_RUNS && now - since.now < GATHERED_MS)) {
    return { ...observed, since: { ...since, takenMs } }
  }
  return {
    ...observed,
    serviceMs: decayedService(estimate, sample, takenMs, ended),
    runs: estimate.runs + ended,
    since: { now, completed, serviceMsTotal, takenMs: 0 },
  }
}

/** Messages that the broker has delivered to nobody. */
export function depthOf(sample: Sample): number {
  let depth = 0
  for (const { ready } of sample.queues.values()) depth += ready
  return depth
}

/** Messages that wait for nothing but a slot, in the broker and here. */
export function waiting(sample: Sample): number {
  return sample.reserved + (sample.intakeStopped ? 0 : depthOf(sample))
}

/** What came in between two samples: what was received, and by how much the queues grew meanwhile. */
function arrivals(before: Sample, after: Sample): number {
  let count = after.received - before.received
  for (const [name, { ready }] of after.queues) {
    const earlier = before.queues.get(name)
    if (earlier) count += ready - earlier.ready
  }
  return Math.max(0, count)
}

/** Each message weighs `1 / memory` when it comes and fades from then on, so a short step between samples counts as much as a long one. */
function decayedRate(estimate: Estimate, count: number, elapsedMs: number): number {
  const memoryMs = memoryOf(estimate)
  const kept = Math.exp(-elapsedMs / memoryMs)
  return estimate.ratePerMs * kept + (elapsedMs > 0 ? (count * (1 - kept)) / elapsedMs : count / memoryMs)
}

/**
 * How many slots were taken between two samples, at least. Where something waited at both ends all of them were, with the round
 * trip to the broker that brings the next message; that is what makes slots count for tasks that hardly take any time.
 */
function takenSlots(before: Sample, after: Sample): number {
  return waiting(before) > 0 && waiting(after) > 0 ? after.slots : Math.min(before.busy, after.busy)
}

/**
 * The mean weighs time, not runs: were it runs, thousands of short ones would hide for long that runs have become slow.
 * Slots taken by runs that haven't ended count too, or a few short runs would hide the long ones beside them.
 */
function decayedService(estimate: Estimate, sample: Sample, takenMs: number, ended: number): number {
  const { since, serviceMs, runs } = estimate
  const meanMs = Math.max(sample.serviceMsTotal - since.serviceMsTotal, takenMs) / ended
  if (serviceMs === null) return meanMs
  const byTime = 1 - Math.exp(-(sample.now - since.now) / memoryOf(estimate))
  const weight = Math.max(byTime, ended / (Math.min(runs, TELLING_RUNS) + ended))
  return serviceMs + weight * (meanMs - serviceMs)
}

function memoryOf(estimate: Estimate): number {
  return Math.min(Math.max(expectedServiceMs(estimate) ?? 0, SHORTEST_MEMORY_MS), LONGEST_MEMORY_MS)
}
