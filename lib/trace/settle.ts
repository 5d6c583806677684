import { traceSend } from '../app/sendSpan.js'
import { CeleriacError, coerceError } from '../errors.js'
import type { Clock, Logger, Publisher } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { repr } from '../protocol/repr.js'
import type { Policy } from '../request/policy.js'
import type { Request } from '../request/request.js'
import type { Ending, WorkerState } from '../request/state.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Outcome } from './outcome.js'
import type { Results } from './results.js'
import { retryDelayMs, retryMessage } from './retry.js'

export interface SettleOptions {
  readonly clock: Clock
  readonly state: WorkerState
  readonly publisher: Publisher
  readonly log: Logger
  /**
   * Publishes what is due far ahead so that it waits in the broker. Resolves with false for what is to be published as usual: it
   * is due soon, or can't go that way.
   */
  postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean>
  /** Seconds; a longer retry of a keyed task gives its lane up. */
  readonly orderHoldLimit: number
  readonly results: Results
  readonly events: TaskEvents
  readonly policy: Policy
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
  /** It goes back to its queue, or, while the worker goes on, back to its place in the order. */
  | { readonly next: 'give-back' }

const RELEASE: Settlement = { next: 'release' }

/**
 * The one place where an outcome becomes what the outside sees: follow-up messages first (confirmed), the acknowledgement last,
 * so that a crash between the two repeats a task and never loses one. Never throws.
 */
export async function settle(request: Request, outcome: Outcome, options: SettleOptions): Promise<Settlement> {
  const { log, state, working } = options
  if ('runtimeMs' in outcome) state.ran(outcome.runtimeMs)
  if (request.acksLate && !request.delivery.live && outcome.state !== 'SUCCESS') {
    log.warning(
      `Task ${request.label} ended with ${outcome.state} after its connection was lost; the broker delivers it again`,
    )
    state.end('aborted')
    if (outcome.state === 'ABORTED') options.events.cancelled(request)
    return RELEASE
  }
  try {
    const settled = settleAs(request, outcome, options)
    // Most need not wait for anything, and a promise more a task is a cost that shows.
    return settled instanceof Promise ? await settled : settled
  } catch (thrown) {
    if (isOver(outcome, thrown)) {
      const error = coerceError(thrown)
      return settle(request, { state: 'FAILURE', kind: 'unexpected', error, runtimeMs: 0 }, options)
    }
    // What may go well another time goes back to its queue; all else is up to the queue's dead-letter exchange.
    const givesBack = working.aborted || (thrown instanceof CeleriacError && thrown.retriable)
    if (givesBack) log.error(unfinished(request, outcome, coerceError(thrown)))
    else log.critical(`Task ${request.label} INTERNAL ERROR: ${repr(coerceError(thrown))}`)
    state.end('rejected')
    if (!request.acksLate || request.delivery.settled) return RELEASE
    if (!givesBack) request.delivery.reject()
    options.events.rejected(request, givesBack)
    if (givesBack) return { next: 'give-back' }
    return RELEASE
  }
}

/** A result that can't be stored, or a next try that can't be sent, now or ever: the task has failed. Its failure is smaller than either. */
function isOver({ state }: Outcome, thrown: unknown): boolean {
  const isRetriable = thrown instanceof CeleriacError && thrown.retriable
  if (state === 'SUCCESS') return thrown instanceof CeleriacError && !isRetriable
  return state === 'RETRY' && !isRetriable
}

/** The worker stops, and what should have been told of the run could not be. */
function unfinished(request: Request, { state }: Outcome, { message }: Error): string {
  const fate = request.acksLate
    ? 'The message goes back to its queue, and the task runs again'
    : 'The message was acknowledged before the run, so that this is lost'
  return `Task ${request.label} ended with ${state}, but that could not be told: ${message}. ${fate}`
}

function settleAs(request: Request, outcome: Outcome, options: SettleOptions): Settlement | Promise<Settlement> {
  const { events, log, results, state } = options
  const end = (ending: Ending, next: Settlement = RELEASE): Settlement => {
    state.end(ending)
    return next
  }
  const acknowledge = (): void => {
    if (request.acksLate) request.delivery.ack()
  }
  switch (outcome.state) {
    case 'SUCCESS': {
      const succeed = (): Settlement => {
        if (log.isEnabled('INFO')) {
          log.info(`Task ${request.label} succeeded in ${outcome.runtimeMs / 1000}s: ${repr(outcome.result)}`)
        }
        acknowledge()
        events.succeeded(request, outcome.result, outcome.runtimeMs)
        return end('succeeded')
      }
      return results.ignored(request) ? succeed() : results.succeeded(request, outcome.result).then(succeed)
    }
    case 'FAILURE':
      return fail(request, outcome, options).then((next) => end('failed', next))
    case 'RETRY':
      return retry(request, outcome, options)
    case 'IGNORED':
      log.info(`Task ${request.label} ignored`)
      acknowledge()
      return end('ignored')
    case 'REJECTED':
      log.warning(
        `Task ${request.label} reject requeue=${outcome.reject.requeue ? 'True' : 'False'}: ${outcome.reject.message}`,
      )
      if (!request.acksLate) return end('rejected')
      if (outcome.reject.requeue) {
        events.rejected(request, true)
        return end('rejected', { next: 'give-back' })
      }
      request.delivery.reject()
      events.rejected(request, false)
      return end('rejected')
    case 'REVOKED':
      log.info(`Discarding revoked task: ${request.label}`)
      return results.revoked(request, outcome.reason).then(() => {
        if (!request.delivery.settled) request.delivery.ack()
        events.revoked(request, outcome.reason, request.terminatedBy)
        return end('revoked')
      })
    case 'DUPLICATE':
      log.info(`Task ${request.label} Task already completed successfully.`)
      acknowledge()
      return end('ignored')
    case 'ABORTED':
      log.warning(`Task ${request.label} was told to stop, and did: ${outcome.error.message}`)
      events.cancelled(request)
      return end('aborted', request.acksLate ? { next: 'give-back' } : RELEASE)
    default:
      return outcome satisfies never
  }
}

/** What contract's table says of exceptions, time limits and lost processes; nothing is ever given back by a reject. */
async function fail(
  request: Request,
  { error, kind }: Outcome & { state: 'FAILURE' },
  { events, log, policy, results }: SettleOptions,
): Promise<Settlement> {
  if (kind === 'lost' && request.acksLate && policy.rejectOnWorkerLost) {
    events.rejected(request, true)
    return { next: 'give-back' }
  }
  await results.failed(request, error, kind === 'expected' || kind === 'unexpected')
  if (kind === 'expected') log.info(`Task ${request.label} raised expected: ${repr(error)}`)
  else if (kind === 'unexpected') log.error(`Task ${request.label} raised unexpected: ${repr(error)}`, { error })
  else log.error(`Task handler raised error: ${repr(error)}`)
  const givesBack = request.acksLate && kind === 'timeout' && !policy.acksOnFailureOrTimeout
  if (request.acksLate && policy.acksOnFailureOrTimeout) request.delivery.ack()
  else if (request.acksLate) {
    if (!givesBack) request.delivery.reject()
    events.rejected(request, givesBack)
  }
  if (givesBack) return { next: 'give-back' }
  events.failed(request, error)
  const blocks = request.task.options.orderOnFailure === 'block' && request.key !== null
  return blocks ? { next: 'block' } : RELEASE
}

async function retry(
  request: Request,
  outcome: Outcome & { state: 'RETRY' },
  options: SettleOptions,
): Promise<Settlement> {
  const { clock, events, log, orderHoldLimit, publisher, results, state, working } = options
  const { options: asked } = outcome.retry
  const now = clock.now()
  const delayMs = retryDelayMs(asked, request, now)
  const when = asked.eta ? `Retry at ${asked.eta.toISOString()}` : `Retry in ${delayMs / 1000}s`
  if (log.isEnabled('INFO')) log.info(`Task ${request.label} retry: ${when}${asked.exc ? `: ${repr(asked.exc)}` : ''}`)
  if (request.key !== null && delayMs <= orderHoldLimit * 1000) {
    request.retries++
    request.args = asked.args ?? request.args
    request.kwargs = asked.kwargs ?? request.kwargs
    await results.retried(request, asked.exc)
    events.retried(request, outcome.retry)
    events.received(request, now + delayMs)
    state.end('retried')
    return { next: 'hold', delayMs }
  }
  if (request.key !== null) {
    log.warning(
      `Task ${request.label} gives up its place in the order of ${request.key}: its retry in ${delayMs / 1000}s is longer than worker_order_hold_limit (${orderHoldLimit}s)`,
    )
  }
  const message = retryMessage(request, asked, delayMs, now)
  // Before the message is out: the next try may be quick, and its state must not be overwritten by this one.
  await results.retried(request, asked.exc)
  await traceSend(message, async (message) => {
    if (!(await options.postpone(message, request.delivery.queue, delayMs))) await publisher.publish(message, working)
    events.sent(message, request.delivery.queue)
  })
  if (request.acksLate) request.delivery.ack()
  events.retried(request, outcome.retry)
  state.end('retried')
  return RELEASE
}
