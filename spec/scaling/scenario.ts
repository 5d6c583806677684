import type { Policy } from './policies.js'

/** A message of a scenario. Times are in milliseconds. */
export interface Arrival {
  readonly at: number
  readonly queue: string
  /** How long it takes on a worker that does nothing else. */
  readonly serviceMs: number
  /** The part of it, at its end, for which it needs the one thread; 0 unless given. */
  readonly cpuMs?: number
}

export interface SimulatedWorker {
  readonly policy: Policy
  /** When it joins; 0 unless given. */
  readonly joinsAt?: number
}

export interface Scenario {
  readonly queues: readonly string[]
  readonly arrivals: readonly Arrival[]
  readonly workers: readonly SimulatedWorker[]
  /** The simulation ends here, or when everything is done, whichever is later. */
  readonly untilMs: number
}

export interface WorkerScore {
  readonly peakSlots: number
  readonly slotSeconds: number
  readonly resizes: number
  readonly completed: number
  /** The slots at a time, in milliseconds. */
  slotsAt(ms: number): number
}

export interface Score {
  /** When the last message was done. */
  readonly doneMs: number
  /** A wait is how much later than on an idle worker a message was done: for its slot, and for the thread. */
  readonly meanWaitMs: number
  readonly p95WaitMs: number
  readonly longestWaitMs: number
  readonly workers: readonly WorkerScore[]
}

/** So many slots from a time on. */
export interface Resize {
  readonly at: number
  readonly slots: number
}

/** @param history from the first size on */
export function scoreOf(history: readonly Resize[], slotMs: number, completed: number): WorkerScore {
  return {
    peakSlots: Math.max(...history.map(({ slots }) => slots)),
    slotSeconds: slotMs / 1000,
    resizes: history.length - 1,
    completed,
    slotsAt: (ms) => history.findLast(({ at }) => at <= ms)?.slots ?? 0,
  }
}
