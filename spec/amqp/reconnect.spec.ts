import { describe, expect, it } from '@jest/globals'
import { type AttemptOutcome, type Attempts, NO_ATTEMPTS, next, type Retrying } from '../../lib/amqp/reconnect.js'

const FAILED: AttemptOutcome = { is: 'failed' }
const lost = (lastedMs: number): AttemptOutcome => ({ is: 'lost', lastedMs })
const rules: Retrying = { urls: 1, maxRetries: null, maxDelayMs: 12_000 }

/** What is done after each of some attempts: the pause, or what else. */
function stepsAfter(outcomes: readonly AttemptOutcome[], given: Partial<Retrying> = {}, random = 0.5): unknown[] {
  let attempts: Attempts = NO_ATTEMPTS
  return outcomes.map((outcome) => {
    const { attempts: after, step } = next(attempts, outcome, { ...rules, ...given }, () => random)
    attempts = after
    if (step.does === 'retry') return Math.round(step.delayMs)
    return step.does === 'give up' ? step.because : step.does
  })
}
const times = (count: number, outcome: AttemptOutcome): AttemptOutcome[] => Array.from({ length: count }, () => outcome)

describe('what follows an attempt to connect', () => {
  it('is another one, after a pause that doubles up to the cap', () => {
    expect(stepsAfter(times(8, FAILED))).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
  })

  it('spreads the pauses by a fifth, never beyond the cap', () => {
    expect(stepsAfter([FAILED], {}, 0)).toEqual([400])
    expect(stepsAfter([FAILED], {}, 1)).toEqual([600])
    expect(stepsAfter(times(20, FAILED), {}, 1).at(-1)).toBe(12_000)
    expect(stepsAfter(times(2000, FAILED)).at(-1)).toBe(10_000)
  })

  it('is the next URL at once, with a pause after the last of them', () => {
    expect(stepsAfter(times(6, FAILED), { urls: 3 })).toEqual([
      'failover',
      'failover',
      2000,
      'failover',
      'failover',
      10_000,
    ])
  })

  it('begins with the URL that it was up with once that one is lost', () => {
    const { attempts } = next(NO_ATTEMPTS, FAILED, { ...rules, urls: 3 })
    expect(attempts.url).toBe(1)
    expect(next(attempts, lost(5000), { ...rules, urls: 3 }).attempts.url).toBe(1)
  })

  it('is the end after so many attempts, wherever in the list', () => {
    expect(stepsAfter(times(3, FAILED), { maxRetries: 2 })).toEqual([500, 1000, 'attempts'])
    expect(stepsAfter(times(3, FAILED), { maxRetries: 2, urls: 5 })).toEqual(['failover', 'failover', 'attempts'])
    expect(stepsAfter([FAILED], { maxRetries: 0 })).toEqual(['attempts'])
  })

  it('may have another end, or none, once it has been up', () => {
    const some = [FAILED, lost(5000), ...times(4, FAILED)]
    expect(stepsAfter(some, { maxRetries: 2, laterRetries: null })).toEqual([500, 0, 500, 1000, 2000, 4000])
    expect(stepsAfter(times(3, FAILED), { maxRetries: 2, laterRetries: null })).toEqual([500, 1000, 'attempts'])
  })

  it('counts from zero after a connection that lasted, not after one that broke as soon as it was up', () => {
    const two = [FAILED, FAILED]
    expect(stepsAfter([...two, lost(1000), FAILED], { maxRetries: 2 })).toEqual([500, 1000, 0, 500])
    expect(stepsAfter([...two, lost(999), FAILED], { maxRetries: 2 })).toEqual([500, 1000, 2000, 'attempts'])
  })

  it('has no pause after a loss, but after the second of losses that follow each other at once', () => {
    expect(stepsAfter(times(4, lost(10)))).toEqual([0, 1000, 2000, 4000])
    expect(stepsAfter([lost(10), lost(10), lost(5000), lost(10)])).toEqual([0, 1000, 0, 0])
  })

  it.each([
    [{ atStart: false, later: true }, [FAILED], ['disabled']],
    [{ atStart: false, later: true }, [lost(5000), FAILED], [0, 500]],
    [{ atStart: true, later: false }, [FAILED, lost(5000)], [500, 'disabled']],
    [{ atStart: false, later: false }, [lost(10)], ['disabled']],
  ] as const)('is the end where the settings have no further one: %j', (retries, outcomes, steps) => {
    expect(stepsAfter(outcomes, { retries })).toEqual(steps)
  })

  it('is at least one attempt with each URL', () => {
    const retries = { atStart: false, later: false }
    expect(stepsAfter([FAILED, FAILED], { retries, urls: 2 })).toEqual(['failover', 'disabled'])
  })
})
