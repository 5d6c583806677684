import { pause } from '../clock.js'
import type { Clock } from '../ports.js'
import type { WorkerState } from '../request/state.js'

/** Milliseconds between two checks: only the line learns of the end of a run. */
const LOOK_MS = 20

/**
 * Resolves once every message that was taken from the queue is settled. This ends with the runs, or with their
 * connection.
 */
export async function untilSettled(queue: string, state: Pick<WorkerState, 'requests'>, clock: Clock): Promise<void> {
  while (isLeft(queue, state)) await pause(clock, LOOK_MS)
}

function isLeft(queue: string, { requests }: Pick<WorkerState, 'requests'>): boolean {
  for (const { delivery } of requests) {
    if (delivery.queue === queue && delivery.live && (!delivery.settled || delivery.writing)) return true
  }
  return false
}
