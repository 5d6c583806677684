import { coerceError } from '../errors.js'
import type { Clock, Logger, Publisher } from '../ports.js'
import { repr } from '../protocol/repr.js'
import type { Request } from '../request/request.js'
import type { Ending, WorkerState } from '../request/state.js'
import type { Outcome } from './outcome.js'
import { retryDelayMs, retryMessage } from './retry.js'

export interface SettleOptions {
  readonly clock: Clock
  readonly state: WorkerState
  readonly publisher: Publisher
  readonly log: Logger
  /** Seconds; a longer retry of a keyed task gives its lane up. */
  readonly orderHoldLimit: number
  readonly acksOnFailureOrTimeout: boolean
  /** Aborted when the process is about to end: stop trying to publish. */
  readonly working: AbortSignal
}

/** What becomes of a request after it was settled. */
export type Settlement =
  | { readonly next: 'release' }
  /** Its lane stays shut to the ones behind. */
  | { readonly next: 'block' }
  /** Not settled after all: it runs again in its lane. */
  | { readonly next: 'hold'; readonly delayMs: number }
  /** It goes back to its queue, and what is behind it in its lane with it. */
  | { readonly next: 'give-back' }

const RELEASE: Settlement = { next: 'release' }

/**
 * The one place where an outcome becomes what the outside sees: follow-up messages first (confirmed), the acknowledgement last,
 * so that a crash between the two repeats a task and never loses one. Never throws.
 */
export async function settle(request: Request, outcome: Outcome, options: SettleOptions): Promise<Settlement> {
  const { log, state } = options
  if (outcome.state !== 'REVOKED') state.ran(request, outcome.runtimeMs)
  if (request.acksLate && !request.delivery.live && outcome.state !== 'SUCCESS') {
    log.warning(
      `Task ${request.label} ended with ${outcome.state} after its connection was lost; the broker delivers it again`,
    )
    state.end('aborted')
    return RELEASE
  }
  try {
    return await settleAs(request, outcome, options)
  } catch (thrown) {
    log.error(`Task ${request.label} INTERNAL ERROR: ${coerceError(thrown).message}`)
    // Left unacknowledged when the process ends: the broker keeps it. Else it is up to the queue's dead-letter exchange.
    if (request.acksLate && !options.working.aborted) request.delivery.reject()
    state.end('rejected')
    return RELEASE
  }
}

async function settleAs(request: Request, outcome: Outcome, options: SettleOptions): Promise<Settlement> {
  const { log, state } = options
  const end = (ending: Ending, next: Settlement = RELEASE): Settlement => {
    state.end(ending)
    return next
  }
  switch (outcome.state) {
    case 'SUCCESS':
      if (log.isEnabled('INFO')) {
        log.info(`Task ${request.label} succeeded in ${outcome.runtimeMs / 1000}s: ${repr(outcome.result)}`)
      }
      if (request.acksLate) request.delivery.ack()
      return end('succeeded')
    case 'FAILURE':
      log.error(`Task ${request.label} raised unexpected: ${repr(outcome.error)}\n${outcome.error.stack ?? ''}`)
      if (request.acksLate) {
        if (options.acksOnFailureOrTimeout) request.delivery.ack()
        else request.delivery.reject()
      }
      return end(
        'failed',
        request.task.options.orderOnFailure === 'block' && request.key !== null ? { next: 'block' } : RELEASE,
      )
    case 'RETRY':
      return retry(request, outcome, options)
    case 'IGNORED':
      log.info(`Task ${request.label} ignored`)
      if (request.acksLate) request.delivery.ack()
      return end('ignored')
    case 'REJECTED':
      log.warning(
        `Task ${request.label} reject requeue=${outcome.reject.requeue ? 'True' : 'False'}: ${outcome.reject.message}`,
      )
      if (!request.acksLate) return end('rejected')
      if (outcome.reject.requeue) return end('rejected', { next: 'give-back' })
      request.delivery.reject()
      return end('rejected')
    case 'REVOKED':
      log.info(`Discarding revoked task: ${request.label}`)
      if (!request.delivery.settled) request.delivery.ack()
      return end('revoked')
    case 'ABORTED':
      log.warning(`Task ${request.label} was told to stop, and did: ${outcome.error.message}`)
      return end('aborted', request.acksLate ? { next: 'give-back' } : RELEASE)
    default:
      return outcome satisfies never
  }
}

async function retry(
  request: Request,
  outcome: Outcome & { state: 'RETRY' },
  options: SettleOptions,
): Promise<Settlement> {
  const { clock, log, orderHoldLimit, publisher, state, working } = options
  const { options: asked } = outcome.retry
  const now = clock.now()
  const delayMs = retryDelayMs(asked, request, now)
  const when = asked.eta ? `Retry at ${asked.eta.toISOString()}` : `Retry in ${delayMs / 1000}s`
  if (log.isEnabled('INFO')) log.info(`Task ${request.label} retry: ${when}${asked.exc ? `: ${repr(asked.exc)}` : ''}`)
  state.end('retried')
  if (request.key !== null && delayMs <= orderHoldLimit * 1000) {
    request.retries++
    request.args = asked.args ?? request.args
    request.kwargs = asked.kwargs ?? request.kwargs
    return { next: 'hold', delayMs }
  }
  if (request.key !== null) {
    log.warning(
      `Task ${request.label} gives up its place in the order of ${request.key}: its retry in ${delayMs / 1000}s is longer than worker_order_hold_limit (${orderHoldLimit}s)`,
    )
  }
  await publisher.publish(retryMessage(request, asked, delayMs, now), working)
  if (request.acksLate) request.delivery.ack()
  return RELEASE
}
