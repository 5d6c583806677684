import { describe, expect, it } from '@jest/globals'
import { readExtras } from '../../../lib/cli/worker/extras.js'

describe('arguments after --', () => {
  it('are settings, with worker for a missing namespace, and casts that are taken off', () => {
    expect(
      readExtras([
        'worker.prefetch_multiplier=7',
        '.max_tasks_per_child=(int)2',
        'task.default_queue=a=b',
        'timezone=UTC',
      ]),
    ).toEqual({
      flags: {
        worker_prefetch_multiplier: '7',
        worker_max_tasks_per_child: '2',
        task_default_queue: 'a=b',
        timezone: 'UTC',
      },
      others: {},
    })
  })

  it('may be names that are judged like those of a configuration', () => {
    expect(readExtras(['broker.pool_limit=1', 'queues=a'])).toEqual({
      flags: {},
      others: { broker_pool_limit: '1', queues: 'a' },
    })
  })

  it('are refused in any other form', () => {
    expect(() => readExtras(['stray', '--x'])).toThrow(
      'worker "stray": expected options, or after -- settings such as worker.prefetch_multiplier=7\nworker "--x": expected options',
    )
  })
})
