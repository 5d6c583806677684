import { expect, it } from '@jest/globals'
import type { Retry } from '../../lib/app/predicate.js'
import { CombinedEvents } from '../../lib/events/combined.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import type { TaskMessage } from '../../lib/protocol/message.js'
import type { Request } from '../../lib/request/request.js'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'

const request = {} as Request
const retry = {} as Retry
const unknown = {} as TaskMessage
const message = {} as OutgoingMessage
const error = new Error('no')

/** Every call that there is. */
const CALLS: { readonly [Name in keyof TaskEvents]: Parameters<NonNullable<TaskEvents[Name]>> } = {
  received: [request, 5],
  returned: [request],
  started: [request],
  succeeded: [request, 'result', 7],
  failed: [request, error],
  retried: [request, retry],
  revoked: [request, 'terminated', 15],
  rejected: [request, true],
  cancelled: [request],
  unregistered: [unknown],
  sent: [message, 'q'],
}

it.each(Object.entries(CALLS))('tells each listener, in order, of what was %s', (name, args) => {
  const told: unknown[] = []
  const listener = (who: string): TaskEvents => ({
    ...NO_TASK_EVENTS,
    [name]: (...given: unknown[]) => void told.push([who, ...given]),
  })
  const combined = new CombinedEvents(listener('first'), listener('second')) as unknown as Record<
    string,
    (...args: readonly unknown[]) => void
  >
  combined[name]?.(...args)
  expect(told).toEqual([
    ['first', ...args],
    ['second', ...args],
  ])
})
