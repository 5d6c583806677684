import { describe, expect, it } from '@jest/globals'
import { publishRetry } from '../../lib/settings/routing.js'

const CELERYS = { max_retries: 3, interval_start: 0, interval_step: 0.2, interval_max: 1 }

describe('task_publish_retry_policy', () => {
  it.each([
    [{}, CELERYS],
    [{ max_retries: 5 }, { ...CELERYS, max_retries: 5 }],
    [
      { max_retries: null, interval_max: 30 },
      { ...CELERYS, max_retries: null, interval_max: 30 },
    ],
    ['{"max_retries": 0, "interval_start": 1.5}', { ...CELERYS, max_retries: 0, interval_start: 1.5 }],
  ])('is what is given, and else what Celery has: %j', (given, policy) => {
    expect(publishRetry(given)).toEqual(policy)
  })

  it.each([
    [{ maxRetries: 1 }, 'a retry policy has no maxRetries; expected max_retries, interval_start'],
    [{ max_retries: -1 }, 'max_retries: expected a whole number of at least 0'],
    [{ interval_step: 'x' }, 'interval_step: expected a number of seconds'],
    ['3', 'expected a retry policy'],
    [[], 'expected a retry policy'],
  ])('refuses anything else: %j', (given, text) => {
    expect(() => publishRetry(given)).toThrow(text)
  })
})
