import { pause } from '../clock.js'
import type { Clock } from '../ports.js'
import type { WorkerState } from '../request/state.js'

/** How often it is looked: a run tells its own end only to the line. */
const LOOK_MS = 20

/** Resolves once nothing is left that was taken from a queue and isn't settled. It ends with the runs, or with their connection. */
export async function untilSettled(queue: string, state: Pick<WorkerState, 'requests'>, clock: Clock): Promise<void> {
  while (isLeft(queue, state)) await pause(clock, LOOK_MS)
}

function isLeft(queue: string, { requests }: Pick<WorkerState, 'requests'>): boolean {
  for (const { delivery } of requests) {
    if (delivery.queue === queue && delivery.live && (!delivery.settled || delivery.writing)) return true
  }
  return false
}
