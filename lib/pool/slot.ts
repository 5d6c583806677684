import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'
import type { Settlement } from '../trace/settle.js'

/** What a slot does with a request, one stage after another. None of them throws. */
export interface Stages {
  trace(request: Request): Promise<Outcome>
  settle(request: Request, outcome: Outcome): Promise<Settlement>
  /** Lets the request go, or keeps it, as its settlement says. */
  conclude(request: Request, settlement: Settlement): void
}

/** One request's way through a slot. */
export async function runInSlot(request: Request, stages: Stages): Promise<void> {
  request.cancelTimers()
  if (!request.acksLate) request.delivery.ack()
  const outcome = await stages.trace(request)
  stages.conclude(request, await stages.settle(request, outcome))
}
