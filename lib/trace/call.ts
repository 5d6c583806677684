import { autoretry } from '../app/autoretry.js'
import type { RequestInfo, TaskContext } from '../app/context.js'
import { currentRun } from '../app/current.js'
import { isSoftTimeLimit } from '../app/limitErrors.js'
import type { Middlewares } from '../app/middleware.js'
import { perform } from '../app/perform.js'
import { isIgnore, isPredicate, isReject, isReplace, isRetry, type Replace } from '../app/predicate.js'
import type { Task } from '../app/task.js'
import { coerceError, StoppedError } from '../errors.js'
import type { Kwargs } from '../protocol/message.js'
import type { ResultTuple } from '../protocol/result.js'
import type { Outcome } from './outcome.js'

/** The task to call, with its arguments. */
export interface Called {
  readonly task: Task
  readonly id: string
  readonly rootId: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  /** Number of retries so far. */
  readonly retries: number
  /** Receives the ids of the tasks that it sends. */
  readonly children: ResultTuple[]
}

/** One try of a task. */
export interface Call {
  readonly of: Called
  /** The node name of the worker that it runs for. */
  readonly worker: string
  /** The app's middleware; null without any. */
  readonly around: Middlewares['around']
  /** Only middleware asks for it. */
  request(): RequestInfo
  /** Only bound tasks ask for it. */
  context(): TaskContext
  /** Returns why the run was told to end; null if it wasn't. */
  aborted(): { readonly reason: unknown } | null
  /** Returns whether the end of the run is known already, or its message delivered again: nothing may take its place. */
  isOver(): boolean
  /** Monotonic milliseconds. */
  monotonic(): number
}

/**
 * Calls a task's handler, in this process or in a child. Never throws: whatever happens becomes an outcome, at once if
 * the handler returns its result and not a promise of it.
 */
export function callTask(call: Call): Outcome | Promise<Outcome> {
  const { of, worker } = call
  const { children, id, rootId, task } = of
  const startedAt = call.monotonic()
  try {
    const { around } = call
    const performed = (): unknown => perform(task, of.args, of.kwargs, () => call.context())
    const run = around ? () => around(call.request(), performed) : performed
    const running = currentRun.run({ id, rootId, worker, children }, run)
    if (isThenable(running)) return whenEnded(running, call, startedAt)
    return ended(running, call, startedAt)
  } catch (thrown) {
    return failed(thrown, call, startedAt)
  }
}

async function whenEnded(running: PromiseLike<unknown>, call: Call, startedAt: number): Promise<Outcome> {
  try {
    return ended(await running, call, startedAt)
  } catch (thrown) {
    return failed(thrown, call, startedAt)
  }
}

/** In Python `retry` and `replace` raise, whatever is written before them: so what is returned here counts as thrown. */
function ended(result: unknown, call: Call, startedAt: number): Outcome | Promise<Outcome> {
  if (isPredicate(result)) return failed(result, call, startedAt)
  return { state: 'SUCCESS', result, runtimeMs: call.monotonic() - startedAt }
}

async function failed(caught: unknown, call: Call, startedAt: number): Promise<Outcome> {
  const thrown = isReplace(caught) && !call.isOver() ? await replaced(caught, call) : caught
  const runtimeMs = call.monotonic() - startedAt
  try {
    return outcomeOf(thrown, call, runtimeMs)
  } catch (fault) {
    // The classes of `throws`, `autoretryFor` and `dontAutoretryFor` may define for themselves what an instance is.
    const error = new TypeError(
      `the error classes of ${call.of.task.name} could not be applied: ${coerceError(fault).message}`,
      {
        cause: coerceError(thrown),
      },
    )
    return { state: 'FAILURE', kind: 'unexpected', error, runtimeMs }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

/** Sends the signature that replaces a task, as the task itself would. @returns what there is to say of the run */
async function replaced(replace: Replace, { of, worker }: Call): Promise<unknown> {
  const { children, id, rootId } = of
  try {
    await currentRun.run({ id, rootId, worker, children }, () => replace.send())
    return replace
  } catch (thrown) {
    return thrown
  }
}

function outcomeOf(thrown: unknown, call: Call, runtimeMs: number): Outcome {
  if (isRetry(thrown)) return { state: 'RETRY', retry: thrown, runtimeMs }
  if (isIgnore(thrown)) return { state: 'IGNORED', runtimeMs }
  if (isReject(thrown)) return { state: 'REJECTED', reject: thrown, runtimeMs }
  const aborted = call.aborted()
  const error = causeOf(coerceError(thrown), aborted)
  // Compared by name: a child has another copy of the class.
  const isStopped = error.name === StoppedError.name
  if (isStopped || (aborted !== null && !isSoftTimeLimit(aborted.reason))) return { state: 'ABORTED', error, runtimeMs }
  const retry = autoretry(error, call.of.task, call.of.retries)
  if (retry) return { state: 'RETRY', retry, runtimeMs }
  const expected = call.of.task.options.throws?.some((each) => error instanceof each) ?? false
  return { state: 'FAILURE', kind: expected ? 'expected' : 'unexpected', error, runtimeMs }
}

/** Node throws an AbortError, with the reason inside, for what it aborts itself; clients should see the time limit. */
function causeOf(error: Error, aborted: { readonly reason: unknown } | null): Error {
  const isLimit = aborted !== null && isSoftTimeLimit(aborted.reason)
  return isLimit && error.name === 'AbortError' && error.cause === aborted.reason ? coerceError(aborted.reason) : error
}
