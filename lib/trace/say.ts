import type { Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import type { Request } from '../request/request.js'
import type { Outcome } from './outcome.js'

/** Writes Celery's line about the end of a run. */
export function say(request: Request, outcome: Exclude<Outcome, { state: 'RETRY' }>, log: Logger): void {
  const task = `Task ${request.label}`
  switch (outcome.state) {
    case 'SUCCESS':
      if (log.isEnabled('INFO')) log.info(`${task} succeeded in ${outcome.runtimeMs / 1000}s: ${repr(outcome.result)}`)
      break
    case 'FAILURE': {
      const { error, kind } = outcome
      if (kind === 'expected') log.info(`${task} raised expected: ${repr(error)}`)
      else if (kind === 'unexpected') log.error(`${task} raised unexpected: ${repr(error)}`, { error })
      else log.error(`Task handler raised error: ${repr(error)}`)
      break
    }
    case 'IGNORED':
      log.info(`${task} ignored`)
      break
    case 'REJECTED':
      log.warning(`${task} reject requeue=${outcome.reject.requeue ? 'True' : 'False'}: ${outcome.reject.message}`)
      break
    case 'REVOKED':
      log.info(`Discarding revoked task: ${request.label}`)
      break
    case 'DUPLICATE':
      log.info(`${task} Task already completed successfully.`)
      break
    case 'COPY':
      log.info(`${task} was sent twice, as the body of a chord whose last member ran twice: the other copy runs`)
      break
    case 'ABORTED':
      log.warning(`${task} was stopped: ${outcome.error.message}`)
      break
    default:
      outcome satisfies never
  }
}
