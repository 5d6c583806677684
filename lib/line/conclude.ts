import type { Logger } from '../ports.js'
import type { Gate } from '../request/gate.js'
import type { Request } from '../request/request.js'
import type { Settlement } from '../trace/settle.js'

/** Releases a request after its run, or keeps it, as its settlement says; and with it the requests behind it. */
export function conclude(request: Request, settlement: Settlement, gate: Gate, log: Logger): void {
  if (!request.delivery.live) {
    // The connection was lost while it was settled: the message comes again, and what was behind it has arrived later
    // than it.
    gate.release(request)
    return
  }
  // Its next try, if it has one here, is a run of its own.
  if (settlement.next === 'hold' || settlement.next === 'give-back') request.forgetChildren()
  switch (settlement.next) {
    case 'hold':
      gate.hold(request, settlement.delayMs)
      break
    case 'give-back':
      gate.putBack(request)
      break
    case 'block':
      log.error(
        `The order key ${request.key} is blocked by the failure of ${request.label}, until: celeriac control unblock ${request.key}`,
      )
      gate.block(request)
      break
    case 'release':
      // It was to be acknowledged early, and no child has begun it.
      if (!request.acksLate && !request.delivery.settled) gate.putBack(request)
      else gate.release(request)
      break
    default:
      settlement satisfies never
  }
}
