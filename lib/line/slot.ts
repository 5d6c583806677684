import { coerceError } from '../errors.js'
import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'
import { inRunSpan } from '../trace/runSpan.js'
import type { Settlement } from '../trace/settle.js'
import { isTracing } from '../tracing.js'

/** What a slot does with a request, one stage after another. None of them throws. */
export interface Stages {
  /** Node name, for the trace that the run is part of. */
  readonly hostname: string
  trace(request: Request): Promise<Outcome>
  settle(request: Request, outcome: Outcome): Promise<Settlement>
  /** Lets the request go, or keeps it, as its settlement says. */
  conclude(request: Request, settlement: Settlement): void
}

/**
 * One request's way through a slot.
 * @throws whatever a stage throws, although none should: who lends the slot takes it back
 */
export function runInSlot(request: Request, stages: Stages): Promise<void> {
  request.cancelTimers()
  if (!request.acksLate) request.delivery.ack()
  if (!isTracing()) return throughStages(request, stages)
  return inRunSpan(request, stages.hostname, (note) => throughStages(request, stages, note))
}

async function throughStages(request: Request, stages: Stages, note?: (outcome: Outcome) => void): Promise<void> {
  const outcome = await outcomeOf(request, stages)
  note?.(outcome)
  const settlement = await stages.settle(request, outcome)
  // What is behind it in its order must not be acknowledged before it: a crash between the two would bring this one back alone.
  if (request.key !== null && request.delivery.writing) await request.delivery.writing
  stages.conclude(request, settlement)
}

/** What goes wrong around a run, in an event of its start for example, is a failure of the task like any other: its client is told. */
async function outcomeOf(request: Request, stages: Stages): Promise<Outcome> {
  try {
    return await stages.trace(request)
  } catch (thrown) {
    return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 }
  }
}
