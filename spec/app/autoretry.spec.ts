import { describe, expect, it } from '@jest/globals'
import { autoretry } from '../../lib/app/autoretry.js'
import { Task } from '../../lib/app/task.js'
import type { TaskOptions } from '../../lib/app/taskOptions.js'

class FetchError extends Error {}
class GoneError extends FetchError {}

const task = (options: TaskOptions): Task => new Task('t', { autoretryFor: [FetchError], ...options }, () => undefined)
const countdowns = (options: TaskOptions, random: () => number): unknown[] =>
  [0, 1, 2, 3, 10].map(
    (retries) =>
      autoretry(new FetchError(), task({ maxRetries: null, ...options }), retries, random)?.options.countdown,
  )

describe('autoretry', () => {
  it('asks for a retry after the errors that are listed, and their subclasses', () => {
    expect(autoretry(new GoneError('x'), task({}), 0)?.options.exc?.message).toBe('x')
    expect(autoretry(new Error('x'), task({}), 0)).toBeNull()
    expect(autoretry(new GoneError('x'), task({ dontAutoretryFor: [GoneError] }), 0)).toBeNull()
  })

  it('leaves the error to be the end when the retries are used up', () => {
    expect(autoretry(new FetchError(), task({ maxRetries: 2 }), 1)).not.toBeNull()
    expect(autoretry(new FetchError(), task({ maxRetries: 2 }), 2)).toBeNull()
    expect(autoretry(new FetchError(), task({ maxRetries: 2, retryKwargs: { maxRetries: 3 } }), 2)).not.toBeNull()
  })

  it('takes the countdown of retryKwargs, or none, which leaves it to the task', () => {
    expect(countdowns({ retryKwargs: { countdown: 7 } }, Math.random)).toEqual([7, 7, 7, 7, 7])
    expect(countdowns({}, Math.random)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  it('doubles the backoff up to its most', () => {
    expect(countdowns({ retryBackoff: true, retryJitter: false }, Math.random)).toEqual([1, 2, 4, 8, 600])
    expect(countdowns({ retryBackoff: 3, retryBackoffMax: 20, retryJitter: false }, Math.random)).toEqual([
      3, 6, 12, 20, 20,
    ])
  })

  it('spreads it over the whole of it unless told not to', () => {
    expect(countdowns({ retryBackoff: 4 }, () => 0)).toEqual([0, 0, 0, 0, 0])
    expect(countdowns({ retryBackoff: 4 }, () => 0.999)).toEqual([4, 8, 16, 32, 600])
  })
})
