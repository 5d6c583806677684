import type { Bounds } from '../../lib/scaling/controller.js'
import { generate } from '../packit/generator.js'
import { hopsOf } from '../packit/message.js'
import { PRESETS } from '../packit/workload.js'
import { BOUNDS } from './policies.js'
import type { Arrival } from './scenario.js'
import { burst, poisson } from './traces.js'

/** A load that controllers are scored on. */
export interface Workload {
  readonly name: string
  /** By time. */
  readonly arrivals: readonly Arrival[]
  readonly untilMs: number
  /** How many workers share the queue, each within `bounds`. */
  readonly workers: number
  readonly bounds: Bounds
}

const SECOND = 1000
const MINUTE = 60 * SECOND

/** The loads of the score table. Same seed, same loads. */
export function workloads(seed = 1): Workload[] {
  return [
    bursts(),
    diurnal(seed),
    packit(seed),
    onOff(2 * SECOND, 33 * SECOND, seed),
    shared(2, seed),
    slowDownstream(seed),
    cpuBound(seed),
  ]
}

/** 2,000 messages of 20 ms at once, every two minutes. */
export function bursts(): Workload {
  const arrivals = Array.from({ length: 10 }, (_, index) => burst(2000, 20, index * 2 * MINUTE + 500))
  return workload('bursts', 20 * MINUTE, arrivals.flat())
}

/** A day in twenty minutes: from 3 to 100 messages a second and back, of 200 ms in the mean. */
export function diurnal(seed: number): Workload {
  const untilMs = 20 * MINUTE
  const rate = (ms: number): number => 3 + 97 * Math.sin((Math.PI * ms) / untilMs) ** 2
  return workload('diurnal', untilMs, poisson({ rate, peakRate: 100, untilMs, serviceMs: varied(200) }, seed))
}

/** 120 builds of Packit at the pace of life, both hops and two queues, on `--autoscale=16,1`. */
export function packit(seed: number): Workload {
  const messages = generate({ ...PRESETS.life, seed, builds: 120, timeScale: 1, runScale: 1 })
  const arrivals = messages.flatMap(({ atMs, queue, sim, ...message }) =>
    // The second hop is published when the first has run.
    hopsOf({ atMs, queue, sim, ...message }).map((_, hop) => ({
      at: atMs + hop * sim.run_ms,
      queue,
      serviceMs: sim.run_ms,
    })),
  )
  const untilMs = Math.max(...arrivals.map(({ at }) => at)) + MINUTE
  return workload('Packit, life', untilMs, arrivals, { bounds: { ...BOUNDS, max: 16, min: 1 } })
}

/** 200 messages a second of 100 ms for `onMs`, then none for `offMs`. */
export function onOff(onMs: number, offMs: number, seed: number): Workload {
  const untilMs = 10 * MINUTE
  const rate = (ms: number): number => (ms % (onMs + offMs) < onMs ? 200 : 0)
  const arrivals = poisson({ rate, peakRate: 200, untilMs, serviceMs: () => 100 }, seed)
  return workload(`on ${onMs / SECOND} s, off ${offMs / SECOND} s`, untilMs, arrivals)
}

/** A load that goes up and down in steps, for several workers on one queue. */
export function shared(workers: number, seed: number): Workload {
  const untilMs = 12 * MINUTE
  const rate = (ms: number): number => [50, 200, 100, 25][Math.floor(ms / (3 * MINUTE))] ?? 0
  const arrivals = poisson({ rate, peakRate: 200, untilMs, serviceMs: varied(200) }, seed)
  return workload(`${workers} workers`, untilMs, arrivals, { workers })
}

/** What the tasks wait for takes twenty times as long for two minutes. */
export function slowDownstream(seed: number): Workload {
  const untilMs = 12 * MINUTE
  const isSlow = (ms: number): boolean => ms >= 4 * MINUTE && ms < 6 * MINUTE
  const serviceMs = (ms: number, random: () => number): number => varied(isSlow(ms) ? 2000 : 100)(ms, random)
  return workload('slow downstream', untilMs, poisson({ rate: () => 25, peakRate: 25, untilMs, serviceMs }, seed))
}

/** 100 ms of waiting and 10 ms of the processor each; every three minutes, for 30 s, more than one thread can do. */
export function cpuBound(seed: number): Workload {
  const untilMs = 12 * MINUTE
  const rate = (ms: number): number => (ms % (3 * MINUTE) >= 150 * SECOND ? 120 : 40)
  const arrivals = poisson({ rate, peakRate: 120, untilMs, serviceMs: () => 110 }, seed)
  return workload(
    'CPU-bound',
    untilMs,
    arrivals.map((arrival) => ({ ...arrival, cpuMs: 10 })),
  )
}

function workload(
  name: string,
  untilMs: number,
  arrivals: readonly Arrival[],
  parts: Partial<Workload> = {},
): Workload {
  return { name, untilMs, arrivals: arrivals.toSorted((a, b) => a.at - b.at), workers: 1, bounds: BOUNDS, ...parts }
}

/** Run times as they are found in life: many short ones and a few long ones (exponential). */
function varied(meanMs: number): (ms: number, random: () => number) => number {
  return (_, random) => -Math.log(1 - random()) * meanMs
}
