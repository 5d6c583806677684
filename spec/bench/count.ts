import { mean } from './statistics.js'

/** One count of a queue's ready messages while it is drained. */
export interface Count {
  /** Milliseconds; only differences mean something. */
  readonly atMs: number
  readonly ready: number
  /** Processor time of the worker so far, in milliseconds. */
  readonly cpuMs: number
}

/** How fast a worker is. */
export interface Pace {
  readonly tasksPerSecond: number
  /** Processor time of the worker for one task, in microseconds. */
  readonly cpuUs: number
}

/** A backlog was gone before it could be counted twice: on a busy machine the counts are far apart. */
export class TooSmall extends Error {}

/** The part of a backlog that is measured: the worker is awake by the first mark, and its window still full at the second. */
const FROM = 0.93
const TO = 0.03
/** The least part that makes a measurement. */
const LEAST = 0.05

/** Whether what is left of the backlog isn't measured. @param all messages ready at the beginning */
export function isOver(counts: readonly Count[], all: number): boolean {
  return (counts.at(-1)?.ready ?? all) <= all * TO
}

/** Whether so much has been settled that the counts so far would do. */
export function hasEnough(counts: readonly Count[], all: number): boolean {
  const { first, last } = ends(counts, all)
  return first !== undefined && last !== undefined && first.ready - last.ready >= all * LEAST
}

/**
 * The pace over the measured part: the slope of the straight line that fits the counts best. The first and the last count alone
 * would not do, for slots that all wait equally long take their next messages together, so that the queue goes down in steps.
 * @throws TooSmall if the backlog was gone too soon to be counted twice
 */
export function pace(counts: readonly Count[], all: number): Pace {
  const measured = steady(counts, all)
  const { first, last } = ends(counts, all)
  const tasks = (first?.ready ?? 0) - (last?.ready ?? 0)
  if (!first || !last || tasks <= 0) throw new TooSmall(`a backlog of ${all} is too small to be measured`)
  const meanMs = mean(measured.map(({ atMs }) => atMs))
  const meanReady = mean(measured.map(({ ready }) => ready))
  const together = mean(measured.map(({ atMs, ready }) => (atMs - meanMs) * (ready - meanReady)))
  const alone = mean(measured.map(({ atMs }) => (atMs - meanMs) ** 2))
  return {
    tasksPerSecond: (-together / alone) * 1000,
    cpuUs: ((last.cpuMs - first.cpuMs) / tasks) * 1000,
  }
}

function ends(counts: readonly Count[], all: number): { first: Count | undefined; last: Count | undefined } {
  const measured = steady(counts, all)
  return { first: measured[0], last: measured.at(-1) }
}

function steady(counts: readonly Count[], all: number): Count[] {
  // At 0 nobody knows for how long it has been empty.
  return counts.filter(({ ready }) => ready <= all * FROM && ready > 0)
}
