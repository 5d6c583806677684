import type { Leading, ResultOf } from '../app/declaredTask.js'
import type { KwargsTask } from '../app/kwargsTask.js'
import { Ignore, type Reject, type Retry } from '../app/predicate.js'
import type { Task } from '../app/task.js'
import type { Kwargs } from '../protocol/message.js'
import type { Outcome } from '../trace/outcome.js'
import { type RunOptions, type RunTraces, run } from './run.js'

/** How a run ended. */
export type TaskOutcome<Result> =
  | {
      /** The task returned. */
      readonly state: 'SUCCESS'
      /** Returned value as others read it: through JSON and back. */
      readonly result: Result
    }
  | {
      /** The task failed for good. */
      readonly state: 'FAILURE'
      /** Error that it failed with. */
      readonly error: Error
      /** True if the error is one of the task's `throws`. */
      readonly expected: boolean
    }
  | {
      /** The task asked for another run: by `self.retry()`, or by `autoretryFor`. */
      readonly state: 'RETRY'
      /** The exception thrown; its `options` say when and why. */
      readonly retry: Retry
      /** Seconds until the next run; null with an `eta`. */
      readonly countdown: number | null
    }
  | {
      /** The task threw `Ignore`. */
      readonly state: 'IGNORED'
    }
  | {
      /** The task threw `Reject`. */
      readonly state: 'REJECTED'
      /** The exception thrown. */
      readonly reject: Reject
    }
  | {
      /** The signal told the task to stop, and it did. */
      readonly state: 'ABORTED'
      /** Reason of the signal, or the error that the stop caused. */
      readonly error: Error
    }

/** A run of a task: how it ended, and what it left. */
export type TaskRun<Result> = TaskOutcome<Result> & RunTraces

/** Options of a run with keyword arguments. */
export interface NamedRunOptions extends RunOptions {
  /** Keyword arguments. */
  readonly kwargs: Kwargs
}

/** Options of a run with positional arguments only. */
export interface PlainRunOptions extends RunOptions {
  /** Not available: all arguments are positional. */
  readonly kwargs?: never
}

/**
 * Runs a task once in this process as a worker would, and returns how it ended. Arguments and result go through JSON
 * and back; `schema`, `params`, middleware, hooks about tasks, resources and time limits are in effect; messages that
 * it sends are kept. Mirrors Celery's `Task.apply`.
 * @throws TypeError if it is not a task of an app, or for arguments that JSON can't express
 * @example
 * const { state, sent } = await tryTask(order, [7])
 */
export function tryTask<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Args>,
  options?: PlainRunOptions,
): Promise<TaskRun<Result>>
export function tryTask<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Leading<Args>>,
  options: NamedRunOptions,
): Promise<TaskRun<Result>>
export function tryTask<Given extends object, Result>(
  task: KwargsTask<Given, Result>,
  given: NoInfer<Given>,
  options?: PlainRunOptions,
): Promise<TaskRun<Result>>
export async function tryTask(
  task: object,
  args: unknown,
  options: RunOptions & { kwargs?: Kwargs } = {},
): Promise<TaskRun<unknown>> {
  const positions = Array.isArray(args) ? args : []
  const named = Array.isArray(args) ? (options.kwargs ?? {}) : (args as Kwargs)
  const { outcome, ...traces } = await run(task, positions, named, options)
  return { ...shown(outcome, task as Task), ...traces }
}

/**
 * Runs a task once in this process, as `tryTask` does, and returns its result.
 * @throws the task's own error; Retry if it asks for another run; Ignore or Reject if it threw them; TypeError as
 * `tryTask`
 * @example
 * expect(await runTask(add, [1, 2])).toBe(3)
 * await expect(runTask(fetch, ['http://down/'], { retries: 1 })).rejects.toMatchObject({ options: { countdown: 20 } })
 */
export function runTask<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Args>,
  options?: PlainRunOptions,
): Promise<Result>
export function runTask<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Leading<Args>>,
  options: NamedRunOptions,
): Promise<Result>
export function runTask<Given extends object, Result>(
  task: KwargsTask<Given, Result>,
  given: NoInfer<Given>,
  options?: PlainRunOptions,
): Promise<Result>
export async function runTask(task: object, args: unknown, options: object = {}): Promise<ResultOf<unknown>> {
  const ran: TaskRun<unknown> = await tryTask(task as Task, args as never, options as PlainRunOptions)
  switch (ran.state) {
    case 'SUCCESS':
      return ran.result as ResultOf<unknown>
    case 'FAILURE':
    case 'ABORTED':
      throw ran.error
    case 'RETRY':
      throw ran.retry
    case 'IGNORED':
      throw new Ignore()
    case 'REJECTED':
      throw ran.reject
    default:
      return ran satisfies never
  }
}

function shown(outcome: Outcome, task: Task): TaskOutcome<unknown> {
  switch (outcome.state) {
    case 'SUCCESS':
      return { state: 'SUCCESS', result: outcome.result }
    case 'FAILURE':
      return { state: 'FAILURE', error: outcome.error, expected: outcome.kind === 'expected' }
    case 'RETRY': {
      const { countdown, eta } = outcome.retry.options
      return { state: 'RETRY', retry: outcome.retry, countdown: eta ? null : (countdown ?? task.defaultRetryDelay) }
    }
    case 'IGNORED':
      return { state: 'IGNORED' }
    case 'REJECTED':
      return { state: 'REJECTED', reject: outcome.reject }
    case 'ABORTED':
      return { state: 'ABORTED', error: outcome.error }
    default:
      throw new Error(`a run without a message ended with ${outcome.state}`)
  }
}
