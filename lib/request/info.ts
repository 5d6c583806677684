import type { Clock } from '../ports.js'
import { jsonText } from '../protocol/content/jsonText.js'
import { wrap } from '../protocol/content/kombuTypes.js'
import { isoFormat } from '../protocol/event.js'
import { cutRepr, repr, reprArgs } from '../protocol/repr.js'
import type { ParkReason, Request } from './request.js'
import type { WorkerState } from './state.js'

/** Celery gives this priority to every entry of its timer that is a task. */
const TIMER_PRIORITY = 6

/** A sender may give longer texts than Celery's 1,024 characters; each reply would carry one of many megabytes. */
const LONGEST_REPR = 16_384

/** Characters of JSON: longer arguments are shown as text, for a reply has those of all tasks that the worker holds. */
const LONGEST_VALUE = 65_536

/** State of a request as `query_task` reports it. `ready` is Celery's name for a request that is none of the others. */
export type Standing = 'active' | 'reserved' | 'scheduled' | 'ready'

/** A request as `inspect active` and `reserved` show it: Celery's `Request.info`. */
export interface TaskInfo {
  readonly id: string
  /** Display name, if the sender gave one. */
  readonly name: string
  /** The values, or their text if they can't be written as JSON, are very long, or were not wanted. */
  readonly args: unknown
  readonly kwargs: unknown
  /** The task's registered name. */
  readonly type: string
  readonly hostname: string
  /** Unix time in seconds at which the present try began; null before that. */
  readonly time_start: number | null
  readonly acknowledged: boolean
  readonly delivery_info: {
    readonly exchange: string
    readonly routing_key: string
    readonly priority: number | null
    readonly redelivered: boolean
  }
  /** Id of the process that runs the task, a child's with `-P prefork`; null while it doesn't run. */
  readonly worker_pid: number | null
}

/** A request that waits for something other than a slot, as `inspect parked` shows it. Celery has no such command. */
export interface ParkedInfo {
  readonly id: string
  readonly name: string
  readonly waits_for: ParkReason
  readonly key: string | null
  /** Seconds since it was received. */
  readonly age: number
}

export interface InfoOptions {
  readonly clock: Clock
  /** `name@host`. */
  readonly nodename: string
}

/**
 * Describes requests for `inspect`. With `safe`, arguments are shown as the texts that the sender gave, not as values.
 */
export function taskInfo(request: Request, { clock, nodename }: InfoOptions, safe = false): TaskInfo {
  const { delivery, message, state } = request
  const { argsrepr, kwargsrepr } = message
  const runs = state === 'running'
  const { startedAt } = request
  return {
    id: request.id,
    name: request.name,
    args: safe ? (given(argsrepr) ?? reprArgs(request.args)) : sendable(request.args, () => reprArgs(request.args)),
    kwargs: safe ? (given(kwargsrepr) ?? repr(request.kwargs)) : sendable(request.kwargs, () => repr(request.kwargs)),
    type: message.task,
    hostname: nodename,
    time_start: runs && startedAt !== null ? Math.round(clock.now() - (clock.monotonic() - startedAt)) / 1000 : null,
    acknowledged: delivery.settled,
    delivery_info: {
      exchange: delivery.exchange,
      routing_key: delivery.routingKey,
      priority: message.properties.priority ?? null,
      redelivered: delivery.redelivered,
    },
    worker_pid: runs ? request.pid : null,
  }
}

/** Describes the parked ones among the requests. */
export function parkedInfos(requests: Iterable<Request>, { clock }: InfoOptions): ParkedInfo[] {
  const now = clock.monotonic()
  return [...requests].flatMap(({ id, key, name, parkedFor, receivedAt }) =>
    parkedFor === null ? [] : [{ id, name, waits_for: parkedFor, key, age: (now - receivedAt) / 1000 }],
  )
}

/** Counts the parked requests by what they wait for. */
export function parkedCounts(state: WorkerState): Record<ParkReason, number> {
  const counts = { eta: 0, order: 0, retry: 0, breaker: 0, rate: 0 }
  if (state.parked > 0) for (const { parkedFor } of state.requests) if (parkedFor) counts[parkedFor]++
  return counts
}

/** Makes an entry of `inspect scheduled`. `eta` is null for a next try, whose time is not in the message. */
export function scheduledInfo(request: Request, options: InfoOptions): Record<string, unknown> {
  const { eta } = request.message
  const byEta = request.parkedFor === 'eta' && eta !== null
  return {
    eta: byEta ? isoFormat(eta) : null,
    priority: TIMER_PRIORITY,
    request: taskInfo(request, options),
  }
}

/** Returns the state of a request in the words of `query_task`. */
export function standingOf({ parkedFor, state }: Request): Standing {
  switch (state) {
    case 'running':
      return 'active'
    case 'parked':
      return parkedFor === 'eta' || parkedFor === 'retry' ? 'scheduled' : 'reserved'
    case 'ready':
      return 'reserved'
    default:
      return 'ready'
  }
}

function given(text: string | null): string | null {
  return text === null ? null : cutRepr(text, LONGEST_REPR)
}

/** Returns the value if JSON can express it in reason, or else its text: a task may put anything into its arguments. */
function sendable(value: unknown, text: () => string): unknown {
  const json = jsonText(value)
  return json === null || json.length > LONGEST_VALUE ? text() : wrap(value)
}
