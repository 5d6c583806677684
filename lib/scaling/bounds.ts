import type { Settings } from '../settings/table.js'
import type { Bounds } from './controller.js'

/** How many slots there may be at the start: `--autoscale`, or `--concurrency` for both. */
export function boundsOf(settings: Settings): Bounds {
  const { worker_autoscale: autoscale, worker_concurrency: slots } = settings
  return {
    max: autoscale?.max ?? slots,
    min: autoscale?.min ?? slots,
    targetWaitMs: settings.worker_autoscale_target_wait * 1000,
    keepaliveMs: settings.worker_autoscale_keepalive * 1000,
  }
}
