import { Retry } from './predicate.js'
import type { Task } from './task.js'
import type { ErrorClass } from './taskOptions.js'

const DEFAULT_BACKOFF_MAX = 600

/**
 * The retry that a task's options ask for after an error, as Celery's `autoretry_for` does; null for none. Null also
 * when the retries are used up, so that the task fails with the error itself.
 * @param retries how often it was retried already
 */
export function autoretry(error: Error, task: Task, retries: number, random: () => number = Math.random): Retry | null {
  const { autoretryFor = [], dontAutoretryFor = [], retryKwargs = {}, retryBackoff } = task.options
  const isOneOf = (classes: readonly ErrorClass[]): boolean => classes.some((each) => error instanceof each)
  if (!isOneOf(autoretryFor) || isOneOf(dontAutoretryFor)) return null
  const limit = retryKwargs.maxRetries === undefined ? task.maxRetries : retryKwargs.maxRetries
  if (limit !== null && retries + 1 > limit) return null
  const countdown = retryBackoff ? backoff(task, retries, random) : retryKwargs.countdown
  return new Retry({ ...retryKwargs, ...(countdown === undefined ? {} : { countdown }), exc: error })
}

/**
 * Celery's backoff: starts at `retryBackoff` seconds (true is 1), doubles with each retry, and is drawn from [0,
 * countdown] unless `retryJitter` is false.
 */
function backoff(task: Task, retries: number, random: () => number): number {
  const { retryBackoff, retryBackoffMax = DEFAULT_BACKOFF_MAX, retryJitter = true } = task.options
  const factor = retryBackoff === true ? 1 : Math.trunc(Math.max(1, Number(retryBackoff)))
  const countdown = Math.min(retryBackoffMax, factor * 2 ** retries)
  return retryJitter ? Math.floor(random() * (countdown + 1)) : countdown
}
