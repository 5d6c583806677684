import { Reject } from '../app/predicate.js'
import { BrokerError, coerceError } from '../errors.js'
import { type Executor, type RunHooks, type TimeLimits, tooLate } from '../executors/executor.js'
import type { Logger } from '../ports.js'
import type { Poison } from '../request/poison.js'
import type { Policies } from '../request/policy.js'
import type { Request } from '../request/request.js'
import type { Revoked } from '../request/revoked.js'
import type { WorkerState } from '../request/state.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Outcome } from '../trace/outcome.js'
import type { Results } from '../trace/results.js'
import { TaskLog } from '../trace/taskLog.js'

export interface AttemptOptions {
  readonly executor: Executor
  readonly results: Results
  readonly revoked: Revoked
  readonly poison: Poison
  readonly state: WorkerState
  readonly policies: Policies
  /** `worker_deduplicate_successful_tasks`. */
  readonly deduplicate: boolean
  readonly events: TaskEvents
  readonly log: Logger
}

/**
 * Makes one try of a request that has a slot: checks once more that it may still run, then runs it. Never throws: an
 * error around the run, for example in its start event, is a failure of the task like any other, and the client is
 * told.
 */
export function attempt(request: Request, options: AttemptOptions): Outcome | Promise<Outcome> {
  const trying = tryOnce(request, options)
  if (isAcknowledged(request)) return trying
  return Promise.resolve(trying).then((outcome) => {
    // What no child has begun goes back if it was told to stop, and is done with otherwise.
    if (outcome.state !== 'ABORTED' && !isAcknowledged(request)) request.delivery.ack()
    return outcome
  })
}

/** Returns whether an early acknowledgement, if there is one, is done: with children it comes once one has the task. */
function isAcknowledged({ acksLate, delivery }: Request): boolean {
  return acksLate || delivery.settled
}

function tryOnce(request: Request, options: AttemptOptions): Outcome | Promise<Outcome> {
  const { revoked } = options
  try {
    if (revoked.has(request.id) || revoked.hasStampOf(request.message.headers))
      return { state: 'REVOKED', reason: 'revoked' }
    const taking = options.results.takesBody(request)
    if (taking) return unlessCopy(request, taking, options).catch(unexpected)
    return unlessDuplicate(request, options)
  } catch (thrown) {
    return unexpected(thrown)
  }
}

async function unlessCopy(request: Request, taking: Promise<boolean>, options: AttemptOptions): Promise<Outcome> {
  if (!(await taking)) return { state: 'COPY' }
  return stopped(request) ?? unlessDuplicate(request, options)
}

function unlessDuplicate(request: Request, options: AttemptOptions): Outcome | Promise<Outcome> {
  return mayBeDuplicate(request, options)
    ? unlessSucceeded(request, options).catch(unexpected)
    : unlessRefused(request, options)
}

async function unlessSucceeded(request: Request, options: AttemptOptions): Promise<Outcome> {
  if (await hasSucceeded(request, options.results)) return { state: 'DUPLICATE' }
  return stopped(request) ?? unlessRefused(request, options)
}

/** The outcome of a request that must no longer run, now that it has waited for an answer; null if it may. */
function stopped(request: Request): Outcome | null {
  if (request.acksLate && !request.delivery.live) {
    const error = new BrokerError('the message was lost before it ran, and the broker delivers it again')
    return { state: 'ABORTED', error, runtimeMs: 0 }
  }
  if (!request.aborted) return null
  // As after a run that was told so.
  if (request.terminatedBy !== null) return { state: 'REVOKED', reason: 'terminated' }
  return { state: 'ABORTED', error: coerceError(request.signal.reason), runtimeMs: 0 }
}

function unlessRefused(request: Request, options: AttemptOptions): Outcome | Promise<Outcome> {
  const counting = options.poison.onRun(request)
  if (!counting) return run(request, options)
  return refusal(request, counting, options).then((refused) => refused ?? run(request, options))
}

/** Makes no promise of its own for a task that returns its result at once. */
function run(request: Request, options: AttemptOptions): Outcome | Promise<Outcome> {
  const attempt = new Attempt(request, options)
  const judged = (outcome: Outcome): Outcome => {
    attempt.hasEnded = true
    return request.terminatedBy !== null && outcome.state !== 'SUCCESS'
      ? { state: 'REVOKED', reason: 'terminated' }
      : outcome
  }
  try {
    const running = options.executor.run(request, attempt)
    return running instanceof Promise ? running.then(judged, unexpected) : judged(running)
  } catch (thrown) {
    return unexpected(thrown)
  }
}

function unexpected(thrown: unknown): Outcome {
  return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 }
}

/**
 * Returns the outcome of a request that must not run, because its message came back too often or it was told to stop
 * meanwhile; null if it may run.
 */
async function refusal(
  request: Request,
  counting: Promise<string | null>,
  { events, log, state }: AttemptOptions,
): Promise<Outcome | null> {
  let fault: string | null
  try {
    fault = await counting
  } catch (thrown) {
    return { state: 'ABORTED', error: coerceError(thrown), runtimeMs: 0 }
  }
  if (fault === null) return null
  log.error(`Task ${request.label} was rejected: ${fault}`)
  state.refuse('deliveries')
  events.refused?.(request.delivery, new Error(fault), null)
  return { state: 'REJECTED', reject: new Reject(fault), runtimeMs: 0 }
}

/**
 * Gives a run what it needs of the worker. A class, created once per task, so that there is no closure for each of its
 * functions.
 */
class Attempt implements RunHooks {
  readonly limits: TimeLimits
  hasEnded = false

  constructor(
    private readonly request: Request,
    private readonly options: AttemptOptions,
  ) {
    const [hard, soft] = request.message.timelimit
    const policy = options.policies.of(request.task)
    // As in Celery, 0 or null in the message means that the task's own limit applies.
    this.limits = { hard: hard || policy.timeLimit, soft: soft || policy.softTimeLimit }
  }

  get log(): Logger {
    return new TaskLog(this.options.log, this.request)
  }

  /** Reports the start, once it is known in which process the task runs. */
  onStart(): void {
    const { request } = this
    const { events, log, results } = this.options
    if (!isAcknowledged(request)) request.delivery.ack()
    if (results.tracksStart(request)) {
      // Stored in order with what follows; the run need not wait for it.
      results
        .started(request)
        .catch((thrown) =>
          log.error(`The state of ${request.label} couldn't be stored: ${coerceError(thrown).message}`),
        )
    }
    events.started(request)
  }

  /** What a run has left behind, or one past its hard limit, would replace the final state. */
  updateState(state: string, meta: unknown): Promise<void> {
    if (this.hasEnded) return Promise.reject(tooLate(state))
    return this.options.results.custom(this.request, state, meta)
  }
}

function mayBeDuplicate(request: Request, { deduplicate }: AttemptOptions): boolean {
  return deduplicate && request.acksLate && request.delivery.redelivered
}

function hasSucceeded(request: Request, results: Results): Promise<boolean> {
  // If the backend can't tell, the task runs: a repeat is allowed, a loss is not.
  return results.hasSucceeded(request).catch(() => false)
}
