import { loadavg } from 'node:os'

/** Returns the system's load over 1, 5 and 15 minutes, rounded up to two decimals, as in Celery. */
export function loadAverage(load: readonly number[] = loadavg()): number[] {
  return load.map((average) => Math.ceil(average * 100) / 100)
}
