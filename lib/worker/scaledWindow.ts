import type { IntakeWindow, QueueDepth } from '../broker/intake.js'
import type { Listeners } from '../listeners.js'
import type { Intake } from '../scaling/autoscaler.js'
import type { QueueSpec } from '../settings/queues.js'

/**
 * A window as the autoscaler sees it.
 * @param queues the queues that are consumed by now
 * @param soundings told of each reading of their depths
 */
export function scaledWindow(
  window: IntakeWindow,
  queues: () => readonly QueueSpec[],
  soundings: Listeners<[depths: ReadonlyMap<string, QueueDepth>]>,
): Intake {
  const names = (): string[] => queues().map(({ name }) => name)
  let isAlone = false
  return {
    queues: names,
    depth: async () => {
      const depths = await window.depths(names())
      soundings.tell(depths)
      isAlone = [...depths].every(([queue, { consumers }]) => consumers <= window.count(queue))
      if (!isAlone || [...depths.values()].every(({ ready }) => ready === 0)) window.splitLarge()
      return depths
    },
    consumers: (queue) => window.count(queue),
    resize: (capacity) => window.resize(capacity, isAlone),
  }
}
