import { Reject, Retry } from '../../../lib/app/predicate.js'
import type { ResultMeta } from '../../../lib/protocol/result.js'
import { MemoryBackend } from '../../support/memoryBackend.js'
import { OfflineApp } from '../../support/offlineLine.js'
import type { Ending } from './places.js'
import type { Path } from './queue.js'

/** Seconds: `worker_order_hold_limit` of the model. */
export const HOLD_LIMIT = 10

/** Settings under which `TASKS` have their keys. */
export const CONFIG = {
  worker_order_hold_limit: HOLD_LIMIT,
  worker_order_depth_limit: 3,
  worker_order_age_limit: 5,
  task_order_by: { routed: 'kwargs.one/kwargs.two/kwargs.three' },
}

/** An app of `TASKS`, whose runs are all handed to `started`, by the header `n` of their deliveries. */
export function orderApp(started: (n: number) => Promise<void>): OfflineApp {
  const app = new OfflineApp('spec')
  const orderBy = ({ kwargs }: { kwargs: Record<string, unknown> }): Path | undefined => kwargs.path as Path | undefined
  const options = { bind: true, params: ['path?', 'one?', 'two?', 'three?'] } as const
  type Self = { request: { headers: Readonly<Record<string, unknown>> } }
  const run = (self: Self, ..._keys: unknown[]): Promise<void> => started(Number(self.request.headers.n))
  app.task('job', { ...options, orderBy }, run)
  app.task('strict', { ...options, orderBy, orderOnFailure: 'block' }, run)
  app.task('limited', { ...options, orderBy, rateLimit: '2/s' }, run)
  app.task('late', { ...options, acksLate: true }, run)
  for (const name of ['routed', 'headed', 'plain']) app.task(name, options, run)
  return app
}

const BOOM = new Error('boom')

/** What a run throws, to end so; undefined for a success. */
export function thrownFor(ending: Ending): Error | undefined {
  switch (ending) {
    case 'success':
      return undefined
    case 'failure':
      return BOOM
    case 'retry':
      return new Retry({ countdown: 1 })
    case 'long retry':
      return new Retry({ countdown: HOLD_LIMIT + 1 })
    default:
      return new Reject('no', ending === 'requeue')
  }
}

/** A backend that can be made to wait. */
export class SlowBackend extends MemoryBackend {
  private answered = Promise.resolve()
  private answer: () => void = () => undefined

  pause(): void {
    this.answered = new Promise((resolve) => {
      this.answer = resolve
    })
  }

  resume(): void {
    this.answered = Promise.resolve()
    this.answer()
  }

  override async store(meta: ResultMeta): Promise<void> {
    await this.answered
    await super.store(meta)
  }
}
