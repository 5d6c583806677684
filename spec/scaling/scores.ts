import { foresee } from './oracle.js'
import { celeriac, celery, type Policy, timetable } from './policies.js'
import { simulate } from './simulation.js'
import type { Workload } from './workloads.js'

/** What came of a load under one policy; of several workers, the sums. */
export interface Mark {
  readonly p95WaitMs: number
  readonly slotSeconds: number
  readonly resizes: number
  /** What each worker has done. */
  readonly completed: readonly number[]
}

export interface Score {
  readonly workload: Workload
  readonly celery: Mark
  readonly celeriac: Mark
  readonly oracle: Mark
}

/** Plays a load under Celery's autoscaler, ours, and the oracle's timetable. */
export function scoreOf(workload: Workload): Score {
  const { arrivals, bounds, untilMs, workers } = workload
  // The oracle is one worker with the slots of all.
  const fleet = { ...bounds, max: bounds.max * workers, min: bounds.min * workers }
  return {
    workload,
    celery: play(workload, workers, () => celery(bounds.max, bounds.min)),
    celeriac: play(workload, workers, () => celeriac(bounds)),
    oracle: play(workload, 1, () => timetable(foresee(arrivals, fleet, untilMs))),
  }
}

/** The table of spec/README.md. */
export function tableOf(scores: readonly Score[]): string {
  const rows = scores.map(({ workload, celery, celeriac, oracle }) => {
    const marks = [celery, celeriac, oracle]
    const costs = marks.map(({ slotSeconds }) => Math.round(slotSeconds).toLocaleString('en'))
    return cells([
      workload.name,
      ...marks.map(({ p95WaitMs }) => `${(p95WaitMs / 1000).toFixed(2)} s`),
      ...costs,
      `${(celeriac.slotSeconds / oracle.slotSeconds).toFixed(2)}`,
      celery.resizes,
      celeriac.resizes,
    ])
  })
  return [
    '| | wait: Celery | Celeriac | oracle | slot-seconds: Celery | Celeriac | oracle | Celeriac / oracle | resizes: Celery | Celeriac |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n')
}

function cells(values: readonly unknown[]): string {
  return `| ${values.join(' | ')} |`
}

function play({ arrivals, untilMs }: Workload, workers: number, policy: () => Policy): Mark {
  const queues = [...new Set(arrivals.map(({ queue }) => queue))]
  const team = Array.from({ length: workers }, () => ({ policy: policy() }))
  const score = simulate({ queues, arrivals, untilMs, workers: team })
  const sum = (of: (worker: (typeof score.workers)[number]) => number): number =>
    score.workers.reduce((total, worker) => total + of(worker), 0)
  return {
    p95WaitMs: score.p95WaitMs,
    slotSeconds: sum(({ slotSeconds }) => slotSeconds),
    resizes: sum(({ resizes }) => resizes),
    completed: score.workers.map(({ completed }) => completed),
  }
}
