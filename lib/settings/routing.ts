import { types } from 'node:util'
import { anything, count, fromJson, map, optional, seconds, text, toggle } from './parse.js'
import type { Parse } from './row.js'

/** A queue in `task_queues`, with the names of kombu's `Queue`. */
export interface QueueDefinition {
  /** Name of the queue. */
  readonly name: string
  /** Exchange that it is bound to. Default: task_default_exchange. */
  readonly exchange?: string
  /** Type of the exchange: `direct`, `topic`, `fanout` or `headers`. */
  readonly exchange_type?: string
  /** Routing key of the binding. */
  readonly routing_key?: string
  /** True (the default) if it survives a restart of the broker. */
  readonly durable?: boolean
  /** True if it belongs to one connection, and is deleted with it. */
  readonly exclusive?: boolean
  /** True if it is deleted when nobody consumes from it any more. */
  readonly auto_delete?: boolean
  /** x-arguments, passed unchanged. */
  readonly queue_arguments?: Readonly<Record<string, unknown>>
  /** Seconds after which the unused queue is deleted. */
  readonly expires?: number
  /** Seconds after which a message in it is dropped, or dead-lettered. */
  readonly message_ttl?: number
  /** Maximum number of messages in it. */
  readonly max_length?: number
  /** Maximum number of bytes in it. */
  readonly max_length_bytes?: number
  /** Highest priority that it distinguishes, at most 255. */
  readonly max_priority?: number
}

/** Options that `task_routes` may give a task. */
export interface RouteRule {
  /** Queue to send it to. */
  readonly queue?: string
  /** Exchange to send it to. */
  readonly exchange?: string
  /** Routing key to send it with. */
  readonly routing_key?: string
  /** Priority to send it with, from 0 to 255. */
  readonly priority?: number
  /** Serializer of its body, such as `json`. */
  readonly serializer?: string
  /** Compression of its body, such as `gzip`. */
  readonly compression?: string
}

/**
 * Returns where a task's message goes: a queue's name, a route, or nothing to leave it to the next router in the list.
 * Mirrors the functions in Celery's `task_routes`.
 */
export type RouteFunction = (
  task: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, unknown>>,
) => string | RouteRule | null | undefined

/** Task names and patterns with their routes. */
export type RouteMap = Readonly<Record<string, string | RouteRule>>
/** A way to find a route; the first router that returns one decides. */
export type Router = RouteMap | RouteFunction | readonly [RegExp, string | RouteRule]
type RouterInput = Router | readonly [string, string | RouteRule]

/** A queue as programs may write it; kombu's `queue_arguments` may also be called `arguments`. */
type QueueInput = Omit<QueueDefinition, 'name'> & {
  /** x-arguments, passed unchanged. */
  readonly arguments?: QueueDefinition['queue_arguments']
}
type QueuesInput =
  | ReadonlyArray<
      | string
      | (QueueInput & {
          /** Name of the queue. */
          readonly name: string
        })
    >
  | Readonly<Record<string, QueueInput>>

const QUEUE_FIELDS: Readonly<Record<keyof QueueDefinition, Parse<unknown>>> = {
  name: text,
  exchange: text,
  exchange_type: text,
  routing_key: text,
  durable: toggle,
  exclusive: toggle,
  auto_delete: toggle,
  queue_arguments: map(anything, 'x-arguments'),
  expires: seconds,
  message_ttl: seconds,
  max_length: count(),
  max_length_bytes: count(),
  max_priority: count({ max: 255 }),
}

const ROUTE_FIELDS: Readonly<Record<keyof RouteRule, Parse<unknown>>> = {
  queue: text,
  exchange: text,
  routing_key: text,
  priority: count({ max: 255 }),
  serializer: text,
  compression: text,
}

/** Parses an object with these fields and no others; a null field counts as absent. */
function record(fields: Readonly<Record<string, Parse<unknown>>>, what: string): Parse<Record<string, unknown>> {
  return (raw) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new TypeError(`expected ${what}`)
    const found: Record<string, unknown> = {}
    for (const [field, value] of Object.entries(raw)) {
      const parse = Object.hasOwn(fields, field) ? fields[field] : undefined
      if (!parse) throw new TypeError(`${what} has no ${field}; expected ${Object.keys(fields).join(', ')}`)
      if (value === null || value === undefined) continue
      try {
        found[field] = parse(value)
      } catch (thrown) {
        throw new TypeError(`${field}: ${(thrown as Error).message}`)
      }
    }
    return found
  }
}

const queueRecord = record(QUEUE_FIELDS, 'a queue')
const routeRecord = record(ROUTE_FIELDS, 'a route')

/**
 * `task_queues`: an array of queues or of their names, or a map from name to queue (Celery accepts both), or either as
 * JSON text. kombu's `queue_arguments` may also be called `arguments`.
 */
export const queues: Parse<readonly QueueDefinition[], QueuesInput> = (raw) => {
  const value = fromJson(raw)
  if (typeof value !== 'object' || value === null)
    throw new TypeError('expected queues, as an array, a map or its JSON text')
  const entries = Array.isArray(value)
    ? value.map((queue: unknown) => (typeof queue === 'string' ? { name: queue } : queue))
    : Object.entries(value).map(([name, queue]) => ({ name, ...queue }))
  const definitions = entries.map(queueFrom)
  const twice = definitions.find(({ name }, at) => definitions.findIndex((other) => other.name === name) < at)
  if (twice) throw new TypeError(`the queue ${JSON.stringify(twice.name)} is defined twice`)
  return definitions
}

function queueFrom(raw: unknown, at: number): QueueDefinition {
  const renamed =
    typeof raw === 'object' && raw !== null && 'arguments' in raw
      ? (({ arguments: queue_arguments, ...rest }) => ({ ...rest, queue_arguments }))(raw)
      : raw
  try {
    const found = queueRecord(renamed)
    return { ...found, name: text(found.name) }
  } catch (thrown) {
    throw new TypeError(`queue ${at + 1}: ${(thrown as Error).message}`)
  }
}

/** Parses a queue's name, or a route. @throws TypeError */
export const route = (raw: unknown): string | RouteRule => (typeof raw === 'string' ? text(raw) : routeRecord(raw))
const rules = map(route, 'patterns of task names with their routes')

/**
 * `task_routes`: a map from task name or glob to a queue's name or a route; or a function; or, as in Celery, an array
 * of those and of pairs, whose first may be a regular expression. Also as JSON text.
 */
export const routes: Parse<readonly Router[], RouterInput | readonly RouterInput[]> = (raw) => {
  const value = fromJson(raw)
  if (!Array.isArray(value)) return [router(value)]
  if (isPair(value)) return [pair(value)]
  return value.map((entry: unknown, at) => {
    try {
      return isPair(entry) ? pair(entry) : router(entry)
    } catch (thrown) {
      throw new TypeError(`route ${at + 1}: ${(thrown as Error).message}`)
    }
  })
}

const router = (raw: unknown): Router => (typeof raw === 'function' ? (raw as RouteFunction) : rules(raw))

function isPair(entry: unknown): entry is readonly [string | RegExp, unknown] {
  return Array.isArray(entry) && (typeof entry[0] === 'string' || types.isRegExp(entry[0]))
}

const pair = ([pattern, to]: readonly [string | RegExp, unknown]): Router =>
  typeof pattern === 'string' ? rules({ [pattern]: to }) : [pattern, route(to)]

/** Returns all routes that can be known without a task. */
export function rulesOf(routers: readonly Router[]): ReadonlyArray<string | RouteRule> {
  return routers.flatMap((router) => {
    if (typeof router === 'function') return []
    return isRouterPair(router) ? [router[1]] : Object.values(router)
  })
}

/** Returns whether a router is a pair of a regular expression and its route. */
export const isRouterPair = (router: Router): router is Extract<Router, readonly unknown[]> => Array.isArray(router)

/** `task_order_by`: pattern of task names -> path of the order key. */
export const orderBy = optional(map(text, 'patterns of task names with the paths of their order keys'))

/** Retry policy for `task_publish_retry_policy`, with Celery's names; see `PublishRetryPolicy`. */
export interface PublishRetryWords {
  /** Retries after the first try; 0 for none, null for no limit. */
  readonly max_retries: number | null
  /** Seconds before the first retry. */
  readonly interval_start: number
  /** Seconds by which each wait is longer than the one before. */
  readonly interval_step: number
  /** Maximum number of seconds of a wait. */
  readonly interval_max: number
}

/** Default of Celery's `task_publish_retry_policy`. */
export const PUBLISH_RETRY: PublishRetryWords = {
  max_retries: 3,
  interval_start: 0,
  interval_step: 0.2,
  interval_max: 1,
}

const retryRecord = record(
  { max_retries: count(), interval_start: seconds, interval_step: seconds, interval_max: seconds },
  'a retry policy',
)

/** `task_publish_retry_policy`, as an object or its JSON text. Missing fields are taken from `PUBLISH_RETRY`. */
export const publishRetry: Parse<PublishRetryWords, Partial<PublishRetryWords>> = (raw) => {
  const value = fromJson(raw)
  const isEndless = typeof value === 'object' && value !== null && 'max_retries' in value && value.max_retries === null
  return { ...PUBLISH_RETRY, ...retryRecord(value), ...(isEndless ? { max_retries: null } : {}) }
}
