import { type BenchMessage, taskMessage } from './message.js'
import type { Source } from './rate.js'

/** Messages for a task that does nothing. @param keys how many different values of `key` there are */
export function noops({
  keys = 1000,
  replyTo,
}: {
  keys?: number | undefined
  replyTo?: string | undefined
} = {}): Source {
  return (count) =>
    series(count, (index) =>
      taskMessage('bench.noop', [1, 2], { key: `key-${index % keys}` }, replyTo ? { replyTo } : {}),
    )
}

/** Messages for a task that waits. */
export function waits(ms: number): Source {
  return (count) => series(count, (index) => taskMessage('bench.wait', [ms], { key: `key-${index}` }))
}

/** So many messages, each made when it is wanted. */
export function* series(count: number, make: (index: number) => BenchMessage): Generator<BenchMessage> {
  for (let index = 0; index < count; index++) yield make(index)
}
