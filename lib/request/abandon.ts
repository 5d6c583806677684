import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import type { Gate } from './gate.js'
import type { Request } from './request.js'
import type { WorkerState } from './state.js'
import type { TaskEvents } from './taskEvents.js'

export interface AbandonOptions {
  readonly gate: Gate
  readonly state: WorkerState
  readonly events: TaskEvents
  readonly log: Logger
}

/**
 * Releases a request that broke off in its slot, which is a fault of the worker itself. It is logged as Celery logs an
 * internal error, and rejected, since the same message would fail again. A step that fails does not prevent the others.
 * Never throws.
 */
export function abandon(request: Request, thrown: unknown, { events, gate, log, state }: AbandonOptions): void {
  const { delivery } = request
  const error = coerceError(thrown)
  const isOpen = delivery.live && !delivery.settled
  const steps = [
    () => log.critical(`Task ${request.label} INTERNAL ERROR: ${repr(error)}`, { error }),
    () => state.end('rejected'),
    () => isOpen && delivery.reject(),
    () => isOpen && events.rejected(request, false),
    () => request.state === 'running' && gate.release(request),
  ]
  for (const step of steps) {
    try {
      step()
    } catch (fault) {
      log.critical(`Task ${request.label} INTERNAL ERROR: ${repr(coerceError(fault))}`)
    }
  }
}
