import type { RequestInfo } from '../app/context.js'
import { currentRun } from '../app/current.js'
import type { CallFacts, RunState } from '../app/hooks/hookArguments.js'
import type { Hooks } from '../app/hooks/hooks.js'
import { Ignore } from '../app/predicate.js'
import type { Task } from '../app/task.js'
import type { ResultTuple } from '../protocol/result.js'
import type { Outcome } from './outcome.js'

/** A run, as hooks in its own process see it. */
export interface HookedRun {
  readonly hooks: Hooks
  readonly task: Task
  readonly request: RequestInfo
  /** Receives the ids of the tasks that hooks send, which count as children of the task. */
  readonly children: ResultTuple[]
}

/** Calls the hooks for a task that is about to run. Never throws. Mirrors the order of Celery's `trace_task`. */
export function tellBegin(run: HookedRun): Promise<void> {
  return inside(run, () => run.hooks.tell('taskPrerun', () => callFacts(run)))
}

/** Calls the hooks for a run that has ended. Never throws. */
export function tellEnd(run: HookedRun, outcome: Outcome): Promise<void> {
  const state = stateOf(outcome)
  // The task never ran.
  if (state === null) return Promise.resolve()
  return inside(run, async () => {
    await tellOutcome(run, outcome)
    await run.hooks.tell('taskPostrun', () => ({ ...callFacts(run), retval: retvalOf(outcome), state }))
  })
}

function tellOutcome(run: HookedRun, outcome: Outcome): Promise<void> {
  const { hooks, request, task } = run
  const facts = { task, id: request.id, request }
  if (outcome.state === 'SUCCESS') return hooks.tell('taskSuccess', () => ({ ...facts, result: outcome.result }))
  if (outcome.state === 'FAILURE') {
    return hooks.tell('taskFailure', () => ({ ...callFacts(run), exception: outcome.error }))
  }
  if (outcome.state !== 'RETRY') return Promise.resolve()
  const { retry } = outcome
  return hooks.tell('taskRetry', () => ({ ...facts, reason: retry, exception: retry.options.exc ?? null }))
}

function callFacts({ request, task }: HookedRun): CallFacts {
  return { task, id: request.id, args: request.args, kwargs: request.kwargs, request }
}

function stateOf({ state }: Outcome): RunState | null {
  return state === 'REVOKED' || state === 'DUPLICATE' || state === 'COPY' ? null : state
}

function retvalOf(outcome: Outcome): unknown {
  switch (outcome.state) {
    case 'SUCCESS':
      return outcome.result
    case 'FAILURE':
    case 'ABORTED':
      return outcome.error
    case 'RETRY':
      return outcome.retry
    case 'REJECTED':
      return outcome.reject
    case 'IGNORED':
      return new Ignore()
    default:
      return null
  }
}

/** As in Celery, messages that a hook sends count as sent by the task. */
function inside<T>({ children, request: { hostname, id, rootId } }: HookedRun, tell: () => T): T {
  return currentRun.run({ id, rootId, worker: hostname, children }, tell)
}
