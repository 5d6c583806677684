import { aroundPublish } from '../app/hooks/aroundPublish.js'
import type { Hooks } from '../app/hooks/hooks.js'
import { traceSend } from '../app/sendSpan.js'
import { SignatureError } from '../canvas/signatureError.js'
import { CeleriacError, coerceError } from '../errors.js'
import type { Clock, Logger, Publisher } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { repr } from '../protocol/repr.js'
import type { Postpone } from '../request/departures.js'
import type { Policies } from '../request/policy.js'
import type { Request } from '../request/request.js'
import type { WorkerState } from '../request/state.js'
import type { TaskEvents } from '../request/taskEvents.js'
import { hasCanvas } from './ended.js'
import type { FollowUps } from './followUps.js'
import type { Outcome } from './outcome.js'
import type { Results } from './results.js'
import { needsMessage, retryDelayMs, retryMessage } from './retry.js'
import { RULES, type Rule, type Situation, situationOf } from './rules.js'
import { say } from './say.js'

export interface SettleOptions {
  readonly clock: Clock
  readonly state: WorkerState
  readonly publisher: Publisher
  /** Called for the messages of retries, too. */
  readonly hooks?: Hooks
  readonly log: Logger
  readonly postpone: Postpone
  /** Makes sure that a queue exists. Absent where the broker needs no such thing. */
  declare?(queue: string): Promise<void> | undefined
  /** Seconds; a task with a key gives up its place in the lane for a longer retry. */
  readonly orderHoldLimit: number
  readonly results: Results
  readonly events: TaskEvents
  readonly policies: Pick<Policies, 'of'>
  /** Sends what the ends of tasks in a canvas lead to; by default nothing. */
  readonly followUps?: FollowUps | null
  /** Aborted when the process is about to end: publishing must stop trying. */
  readonly working: AbortSignal
}

/** What is done with a request after it was settled. */
export type Settlement =
  | { readonly next: 'release' }
  /** Its lane stays blocked for the requests behind it. */
  | { readonly next: 'block' }
  /** Not settled yet: it runs again in its lane. */
  | { readonly next: 'hold'; readonly delayMs: number }
  /** It goes back to its queue, or, while the worker continues, to its place in the order. */
  | { readonly next: 'give-back' }

const RELEASE: Settlement = { next: 'release' }

/**
 * Turns an outcome into what others see; nothing else does. Follow-up messages go first (confirmed), the
 * acknowledgement last, so that a crash in between repeats a task and never loses one. `RULES` says what is done when.
 * Never throws.
 */
export function settle(request: Request, outcome: Outcome, options: SettleOptions): Settlement | Promise<Settlement> {
  const { log, state } = options
  if ('runtimeMs' in outcome) state.ran(outcome.runtimeMs)
  if (request.acksLate && !request.delivery.live && outcome.state !== 'SUCCESS') {
    log.warning(
      `Task ${request.label} ended with ${outcome.state} after its message was lost; the broker delivers it again`,
    )
    return close(request, outcome, outcome.state === 'ABORTED' ? 'abortedByLostConnection' : 'lostConnection', options)
  }
  try {
    const settled = outcome.state === 'RETRY' ? retry(request, outcome, options) : finish(request, outcome, options)
    // Most outcomes have nothing to wait for, and one more promise per task is a measurable cost.
    return settled instanceof Promise
      ? settled.catch((thrown) => unsettled(request, outcome, thrown, options))
      : settled
  } catch (thrown) {
    return unsettled(request, outcome, thrown, options)
  }
}

/** Handles a failure to store or to send. */
function unsettled(
  request: Request,
  outcome: Outcome,
  thrown: unknown,
  options: SettleOptions,
): Settlement | Promise<Settlement> {
  const { log, working } = options
  const error = coerceError(thrown)
  if (isOver(outcome, thrown))
    return settle(request, { state: 'FAILURE', kind: 'unexpected', error, runtimeMs: 0 }, options)
  // An error worth a retry gives the message back to its queue; for others the queue's dead-letter exchange decides.
  const givesBack = working.aborted || (thrown instanceof CeleriacError && thrown.retriable)
  if (givesBack) log.error(untold(request, outcome, error))
  else log.critical(`Task ${request.label} INTERNAL ERROR: ${repr(error)}`)
  return close(request, outcome, givesBack ? 'untold' : 'broken', options)
}

/**
 * Returns whether the task has failed for good: its result can never be stored, or its next try never be sent. A
 * failure fits in either.
 */
function isOver({ state }: Outcome, thrown: unknown): boolean {
  const isRetriable = thrown instanceof CeleriacError && thrown.retriable
  if (thrown instanceof SignatureError) return state === 'SUCCESS'
  if (state === 'SUCCESS') return thrown instanceof CeleriacError && !isRetriable
  return state === 'RETRY' && !isRetriable
}

/** Makes the log line for a run whose outcome could not be stored or sent because the worker stops. */
function untold(request: Request, { state }: Outcome, { message }: Error): string {
  const fate = request.acksLate
    ? 'The message goes back to its queue, and the task runs again'
    : 'The message was acknowledged before the run, so its outcome is lost'
  return `Task ${request.label} ended with ${state}, but this could not be stored or sent: ${message}. ${fate}`
}

function finish(
  request: Request,
  outcome: Exclude<Outcome, { state: 'RETRY' }>,
  options: SettleOptions,
): Settlement | Promise<Settlement> {
  const { followUps } = options
  const situation = situationOf(outcome, options.policies.of(request.task))
  if (followUps && hasCanvas(request.message))
    return finishCanvas(request, outcome, situation, { ...options, followUps })
  // As in Celery, the line about a result is logged once the result is stored.
  const isResult = outcome.state === 'SUCCESS' || outcome.state === 'FAILURE'
  if (!isResult) say(request, outcome, options.log)
  const stored = store(request, outcome, ruleFor(request, situation), options.results)
  const end = (): Settlement => {
    if (isResult) say(request, outcome, options.log)
    return close(request, outcome, situation, options)
  }
  return stored ? stored.then(end) : end()
}

/** Finishes a message with a canvas: callbacks and the chain before its own result is stored, the chord after it. */
async function finishCanvas(
  request: Request,
  outcome: Exclude<Outcome, { state: 'RETRY' }>,
  situation: Situation,
  options: SettleOptions & { readonly followUps: FollowUps },
): Promise<Settlement> {
  const { followUps, log, results } = options
  const { acksLate, delivery } = request
  const rule = ruleFor(request, situation)
  // A message lost unacknowledged comes again, and so does all that follows from it.
  const comesAgain = acksLate && !delivery.live && !delivery.settled
  const ended = followUps.of(request)
  if (outcome.state === 'SUCCESS' && !comesAgain) await followUps.succeeded(ended, outcome.result)
  if (outcome.state === 'DUPLICATE') await followUps.repeated(ended)
  // Children tell the duplicate that what follows was sent.
  if (comesAgain && followUps.deduplicates) request.forgetChildren()
  await store(request, outcome, rule, results)
  if (rule.store !== null && !comesAgain) await followUps.ended(ended, outcome)
  say(request, outcome, log)
  return close(request, outcome, situation, options)
}

/** Returns the rule of a situation. A message that an error follows after its settlement must not be settled again. */
function ruleFor({ acksLate, delivery }: Request, situation: Situation): Rule {
  const isOver = delivery.settled && (situation === 'untold' || situation === 'broken')
  return RULES[situation][acksLate && !isOver ? 'late' : 'early']
}

/** @returns null if there is nothing to store */
function store(request: Request, outcome: Outcome, rule: Rule, results: Results): Promise<void> | null {
  if (rule.store === null) return null
  switch (outcome.state) {
    case 'SUCCESS':
      return results.ignored(request) ? null : results.succeeded(request, outcome.result)
    case 'FAILURE':
      return results.failed(request, outcome.error, outcome.kind === 'expected' || outcome.kind === 'unexpected')
    case 'REVOKED':
      return results.revoked(request, outcome.reason)
    default:
      return null
  }
}

/** Finishes once states are stored and messages sent: settles the message, then sends events. */
function close(request: Request, outcome: Outcome, situation: Situation, options: SettleOptions): Settlement {
  const { delivery } = request
  const rule = ruleFor(request, situation)
  if (rule.message === 'ack' && !delivery.settled) delivery.ack()
  if (rule.message === 'reject') delivery.reject()
  for (const event of rule.events) tell(event, request, outcome, rule, options.events)
  options.state.end(RULES[situation].counts)
  if (rule.message === 'give back') return { next: 'give-back' }
  const blocks = request.key !== null && request.task.options.orderOnFailure === 'block'
  return blocks && rule.events.includes('failed') ? { next: 'block' } : RELEASE
}

function tell(event: Rule['events'][number], request: Request, outcome: Outcome, rule: Rule, events: TaskEvents): void {
  if (event === 'rejected') events.rejected(request, rule.message === 'give back')
  else if (event === 'cancelled') events.cancelled(request)
  else if (outcome.state === 'SUCCESS') events.succeeded(request, outcome.result, outcome.runtimeMs)
  else if (outcome.state === 'FAILURE') events.failed(request, outcome.error)
  else if (outcome.state === 'RETRY') events.retried(request, outcome.retry)
  else if (outcome.state === 'REVOKED') events.revoked(request, outcome.reason, request.terminatedBy)
}

async function retry(
  request: Request,
  outcome: Outcome & { state: 'RETRY' },
  options: SettleOptions,
): Promise<Settlement> {
  const { clock, events, log, orderHoldLimit, publisher, results, working } = options
  const { options: asked } = outcome.retry
  const now = clock.now()
  const delayMs = retryDelayMs(asked, request, now)
  const when = asked.eta ? `Retry at ${asked.eta.toISOString()}` : `Retry in ${delayMs / 1000}s`
  if (log.isEnabled('INFO')) log.info(`Task ${request.label} retry: ${when}${asked.exc ? `: ${repr(asked.exc)}` : ''}`)
  const isNew = needsMessage(asked)
  if (request.key !== null && !isNew && delayMs <= orderHoldLimit * 1000) {
    request.retries++
    request.args = asked.args ?? request.args
    request.kwargs = asked.kwargs ?? request.kwargs
    await results.retried(request, asked.exc)
    close(request, outcome, 'retriedInLane', options)
    events.received(request, now + delayMs)
    return { next: 'hold', delayMs }
  }
  if (request.key !== null) {
    const why = isNew
      ? 'queue, priority, expires or headers of its retry need a new message'
      : `its retry in ${delayMs / 1000}s is longer than worker_order_hold_limit (${orderHoldLimit}s)`
    log.warning(`Task ${request.label} loses its place in the order key ${request.key}: ${why}`)
  }
  const message = retryMessage(request, asked, delayMs, now)
  // Before the message is sent: the next try may be quick, and this state must not overwrite its own.
  await results.retried(request, asked.exc)
  const send = (message: OutgoingMessage): Promise<void> =>
    traceSend(message, async (message) => {
      const { queue = request.delivery.queue } = asked
      // Another queue may have no worker that knows the delay queues.
      const isOther = queue !== request.delivery.queue
      if (isOther) await options.declare?.(queue)
      if (isOther || !(await options.postpone(message, queue, delayMs))) await publisher.publish(message, working)
      events.sent(message, queue)
    })
  if (options.hooks?.any) {
    const body = [asked.args ?? request.args, asked.kwargs ?? request.kwargs, { ...request.message.embed }] as const
    await aroundPublish(options.hooks, message, body, send)
  } else await send(message)
  return close(request, outcome, 'retried', options)
}
