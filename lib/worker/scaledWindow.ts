import type { IntakeWindow, QueueDepth } from '../broker/intake.js'
import type { Intake } from '../scaling/autoscaler.js'
import type { QueueSpec } from '../settings/queues.js'

/**
 * A window as the autoscaler sees it.
 * @param queues the queues that are consumed by now
 * @param onDepths called with each reading of their depths
 */
export function scaledWindow(
  window: IntakeWindow,
  queues: () => readonly QueueSpec[],
  onDepths: (depths: ReadonlyMap<string, QueueDepth>) => void,
): Intake {
  const names = (): string[] => queues().map(({ name }) => name)
  let isAlone = false
  return {
    queues: names,
    depth: async () => {
      const depths = await window.depths(names())
      onDepths(depths)
      isAlone = [...depths].every(([queue, { consumers }]) => consumers <= window.count(queue))
      if (!isAlone || [...depths.values()].every(({ ready }) => ready === 0)) window.splitLarge()
      return depths
    },
    consumers: (queue) => window.count(queue),
    resize: (capacity) => window.resize(capacity, isAlone),
  }
}
