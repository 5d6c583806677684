import { Reject } from '../app/predicate.js'
import { coerceError } from '../errors.js'
import type { Executor, RunHooks, TimeLimits } from '../executors/executor.js'
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
 * One try of a request that has a slot: looks once more whether it is still to run, and runs it. Never throws: what goes wrong around a
 * run, in an event of its start for example, is a failure of the task like any other, and its client is told.
 */
export async function attempt(request: Request, options: AttemptOptions): Promise<Outcome> {
  const { executor, results, revoked } = options
  try {
    if (revoked.has(request.id) || revoked.hasStampOf(request.message.headers))
      return { state: 'REVOKED', reason: 'revoked' }
    if (mayBeDuplicate(request, options) && (await hasSucceeded(request, results))) return { state: 'DUPLICATE' }
    const counting = options.poison.onRun(request)
    const refused = counting && (await refusal(request, counting, options))
    if (refused) return refused
    const outcome = await executor.run(request, new Attempt(request, options))
    return request.terminatedBy !== null && outcome.state !== 'SUCCESS'
      ? { state: 'REVOKED', reason: 'terminated' }
      : outcome
  } catch (thrown) {
    return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 }
  }
}

/** How a request ends without a run, because its message has come back too often or it was told to stop meanwhile; null if it may run. */
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

/** What a try needs of the worker; made once a task, and so without a function of its own for each. */
class Attempt implements RunHooks {
  readonly limits: TimeLimits

  constructor(
    private readonly request: Request,
    private readonly options: AttemptOptions,
  ) {
    const [hard, soft] = request.message.timelimit
    const policy = options.policies.of(request.task)
    // As Celery has it, a 0 or null in the message leaves it to the task.
    this.limits = { hard: hard || policy.timeLimit, soft: soft || policy.softTimeLimit }
  }

  get log(): Logger {
    return new TaskLog(this.options.log, this.request)
  }

  /** Tells that it runs, now that it is known where. */
  onStart(): void {
    const { request } = this
    const { events, log, results } = this.options
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

  updateState(state: string, meta: unknown): Promise<void> {
    return this.options.results.custom(this.request, state, meta)
  }
}

function mayBeDuplicate(request: Request, { deduplicate }: AttemptOptions): boolean {
  return deduplicate && request.acksLate && request.delivery.redelivered
}

function hasSucceeded(request: Request, results: Results): Promise<boolean> {
  // A backend that can't say is no reason not to run: a repeat is allowed, a loss is not.
  return results.hasSucceeded(request).catch(() => false)
}
