import type { BreakerInfo } from '../breaker.js'
import type { LinePart, QueuesPart, ScalingPart } from '../control/parts.js'
import type { FleetInfo } from '../fleet/info.js'
import type { Clock } from '../ports.js'
import { parkedCounts } from '../request/info.js'
import type { Ending, WorkerState } from '../request/state.js'
import { clip, LONGEST_TEXT } from './clip.js'
import type { Failure } from './failures.js'
import { fleetsOf } from './fleetSnapshot.js'
import { Histogram } from './histogram.js'
import type { Reading } from './history.js'
import type { TaskCounts } from './tally.js'

/**
 * Limits for the entries of each list and the characters of each text: a snapshot stays small whatever the worker
 * holds.
 */
export const LIMITS = {
  lanes: 50,
  running: 50,
  decisions: 20,
  failures: 20,
  tasks: 50,
  breakers: 50,
  queues: 100,
  text: LONGEST_TEXT,
} as const

/** The ways in which a task can end for good. */
const FINAL: readonly Ending[] = ['succeeded', 'failed', 'ignored', 'rejected', 'revoked']

/** Data that the page is made from. */
export interface Source {
  /** `name@host`. */
  readonly nodename: string
  readonly version: string
  readonly pid: number
  readonly clock: Clock
  /** Monotonic milliseconds. */
  readonly startedAt: number
  readonly line: Pick<LinePart, 'state' | 'lanes' | 'pool'>
  readonly scaling: Pick<ScalingPart, 'bounds' | 'decisions'>
  /** True if the number of slots follows the load. */
  readonly autoscales: boolean
  readonly queues: Pick<QueuesPart, 'queues' | 'intake'>
  /** Last known depth; undefined for a queue that couldn't be asked yet. */
  depthOf(queue: string): { readonly ready: number; readonly consumers: number } | undefined
  /** Seconds that its oldest message has waited: an estimate, 0 for an empty or unknown queue. */
  oldestSeconds(queue: string): number
  /** Reasons why the worker isn't ready; empty if it is. */
  readiness(): readonly string[]
  breakers(): Iterable<BreakerInfo>
  failures(): Iterable<Failure>
  tasks(): Iterable<TaskCounts>
  /** Queues whose order is kept over many workers. */
  fleets(): readonly FleetInfo[]
  /** Part of the last second in which the event loop was busy, 0 to 1. */
  loop(): number
  /** Bytes of resident memory. */
  memory(): number
}

/**
 * The worker at this moment, for the page: plain JSON whose lists and texts are bounded. Times are Unix milliseconds.
 */
export type Snapshot = ReturnType<typeof takeSnapshot>

export function takeSnapshot(source: Source) {
  const { clock, line, nodename, pid, scaling, startedAt, version } = source
  const { pool, state } = line
  const reasons = source.readiness()
  const waiting = waitingOf(source)
  return {
    at: clock.now(),
    worker: { nodename, version, pid, uptimeMs: Math.round(clock.monotonic() - startedAt), memory: source.memory() },
    ready: reasons.length === 0,
    reasons: reasons.map(clip),
    slots: { size: pool.size, busy: pool.busy, max: scaling.bounds.max, min: scaling.bounds.min },
    autoscales: source.autoscales,
    waiting,
    /** Above 1 if there is more to do than there are slots. */
    load: Math.round(((pool.busy + waiting) / Math.max(1, pool.size)) * 100) / 100,
    parked: parkedCounts(state),
    strays: state.strays,
    totals: { received: state.received, ...Object.fromEntries(state.endings) },
    queues: queuesOf(source),
    fleets: fleetsOf(source),
    lanes: lanesOf(source),
    running: runningOf(source),
    decisions: decisionsOf(scaling),
    failures: [...source.failures()].slice(0, LIMITS.failures).map(({ at, exception, id, key, task, traceback }) => ({
      at,
      task: clip(task),
      id: clip(id),
      exception: clip(exception),
      key: key === null ? null : clip(key),
      traceback,
    })),
    tasks: tasksOf(source),
    rejected: rejectedOf(state),
    breakers: [...source.breakers()].slice(0, LIMITS.breakers).map(({ lastError, name, opens, state }) => ({
      name: clip(name),
      state,
      opens,
      lastError: lastError === null ? null : clip(lastError),
    })),
  }
}

/** Returns the data for the history. */
export function takeReading(source: Source): Reading {
  const { pool, state } = source.line
  return {
    slots: pool.size,
    busy: pool.busy,
    waiting: waitingOf(source),
    parked: state.parked,
    loop: source.loop(),
    received: state.received,
    done: FINAL.reduce((sum, ending) => sum + endingsOf(state, ending), 0),
    failed: endingsOf(state, 'failed'),
  }
}

function endingsOf(state: WorkerState, ending: Ending): number {
  return state.endings.get(ending) ?? 0
}

function waitingOf({ depthOf, line, queues }: Source): number {
  return queues.queues.reduce((sum, { name }) => sum + (depthOf(name)?.ready ?? 0), line.state.ready)
}

function queuesOf({ depthOf, line, oldestSeconds, queues }: Source) {
  const own = new Map(queues.intake().map(({ consumers, queue }) => [queue, consumers]))
  return queues.queues.slice(0, LIMITS.queues).map(({ name }) => ({
    ...whole('name', name),
    ready: depthOf(name)?.ready ?? null,
    oldestMs: Math.round(oldestSeconds(name) * 1000),
    consumers: own.get(name) ?? 0,
    fleet: depthOf(name)?.consumers ?? null,
    parked: line.state.parkedFrom(name),
  }))
}

/** Blocked lanes first, since they wait for an operator; then those that have waited longest. */
function lanesOf({ clock, line }: Source) {
  const now = clock.monotonic()
  const all = [...line.lanes].map(({ blocked, depth, head, key, oldest }) => {
    return { key, depth, blocked, head, ageMs: oldest ? Math.round(now - oldest.receivedAt) : 0 }
  })
  const shown = all
    .sort((one, other) => Number(other.blocked) - Number(one.blocked) || other.ageMs - one.ageMs)
    .slice(0, LIMITS.lanes)
    .map(({ ageMs, blocked, depth, head, key }) => ({
      ...whole('key', key),
      depth,
      blocked,
      ageMs,
      head: head === null ? null : { id: clip(head.id), task: clip(head.name), state: head.parkedFor ?? head.state },
    }))
  return { total: all.length, shown }
}

/** The longest runs first. */
function runningOf({ clock, line }: Source) {
  const now = clock.monotonic()
  const { running } = line.state
  const shown = [...running]
    .sort((one, other) => (one.startedAt ?? now) - (other.startedAt ?? now))
    .slice(0, LIMITS.running)
    .map((request) => ({
      ...whole('id', request.id),
      task: clip(request.name),
      key: request.key === null ? null : clip(request.key),
      queue: clip(request.delivery.queue),
      retries: request.retries,
      runsMs: Math.round(now - (request.startedAt ?? now)),
    }))
  return { total: running.size, shown }
}

/** By name over all queues, the most frequent first. */
function tasksOf(source: Source) {
  const byName = new Map<string, { runs: number; failed: number; runtime: Histogram }>()
  for (const { failed, name, runtime, started } of source.tasks()) {
    const sum = byName.get(name) ?? { runs: 0, failed: 0, runtime: new Histogram(runtime.bounds) }
    sum.runs += started
    for (const count of failed.values()) sum.failed += count
    sum.runtime.add(runtime)
    byName.set(name, sum)
  }
  const shown = [...byName]
    .sort(([, one], [, other]) => other.runs - one.runs || other.failed - one.failed)
    .slice(0, LIMITS.tasks)
    .map(([name, { failed, runs, runtime }]) => ({
      name: clip(name),
      runs,
      failed,
      p50Ms: milliseconds(runtime.quantile(0.5)),
      p95Ms: milliseconds(runtime.quantile(0.95)),
    }))
  return { total: byName.size, shown }
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 1000)
}

/** By reason; `rejected` counts messages that had become tasks. */
function rejectedOf(state: WorkerState): Readonly<Record<string, number>> {
  const rejected = endingsOf(state, 'rejected')
  return { ...Object.fromEntries(state.refused), ...(rejected > 0 ? { rejected } : {}) }
}

/**
 * Latest first. `from` is null for the oldest one known. A decision that was held back opened none of the slots it
 * wanted.
 */
function decisionsOf({ decisions }: Source['scaling']) {
  return decisions
    .slice(-LIMITS.decisions - 1)
    .map(({ at, detail, heldBack = false, reason, slots }, index, all) => ({
      at,
      slots,
      from: all[index - 1]?.slots ?? null,
      reason,
      heldBack,
      detail,
    }))
    .slice(-LIMITS.decisions)
    .reverse()
}

/** Returns a name that commands use as an argument. A name that was clipped can't be used, and is marked. */
function whole<Field extends string>(field: Field, text: string) {
  return { [field]: clip(text), clipped: text.length > LONGEST_TEXT } as Record<Field, string> & { clipped: boolean }
}
