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

/** Messages for a task that does nothing, whose first argument is a list of records. @param bytes of a body, at least */
export function bodies(bytes: number): Source {
  const records: unknown[] = []
  for (let size = 0; size < bytes; size += JSON.stringify(records.at(-1)).length + 1) {
    records.push({
      id: records.length,
      name: `record ${records.length}`,
      tags: ['red', 'green'],
      price: 12.5,
      sold: false,
    })
  }
  return (count) => series(count, (index) => taskMessage('bench.noop', [records, 2], { key: `key-${index % 1000}` }))
}

/** Messages for a task that does nothing, and not before then. @param inMs milliseconds from when they are made */
export function later(inMs: number): Source {
  return (count) => {
    const eta = new Date(Date.now() + inMs)
    return series(count, (index) => taskMessage('bench.noop', [1, 2], { key: `key-${index}` }, { eta }))
  }
}

/** So many messages, each made when it is wanted. */
export function* series(count: number, make: (index: number) => BenchMessage): Generator<BenchMessage> {
  for (let index = 0; index < count; index++) yield make(index)
}
