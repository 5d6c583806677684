import type { Kwargs } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import { matchesGlob } from '../settings/glob.js'
import { queueNamed } from '../settings/queues.js'
import { isRouterPair, type RouteMap, type RouteRule, route } from '../settings/routing.js'
import type { Settings } from '../settings/table.js'
import type { Route, SendOptions } from './outlet.js'

/** Characters of a wrong value that are shown. */
const SHOWN = 80

/**
 * Where a task's message goes, and how it is encoded: the call's own options, else `task_routes`, else the settings.
 * Mirrors Celery's router: a message for a queue on a direct exchange is sent through the default exchange, with the
 * queue's name as routing key.
 * @throws TypeError if a function in `task_routes` returns something that is not a route; what that function throws
 */
export function routeTask(
  task: string,
  options: SendOptions,
  settings: Settings,
  args: readonly unknown[] = [],
  kwargs: Kwargs = {},
): Route {
  const rule = ruleFor(task, options, settings, args, kwargs)
  const exchange = options.exchange ?? (options.queue === undefined ? rule.exchange : undefined)
  const routingKey = options.routingKey ?? (options.queue === undefined ? rule.routing_key : undefined)
  const to = (exchange: string, routingKey: string, queue: string | null): Route => ({
    exchange,
    routingKey,
    queue,
    priority: options.priority ?? rule.priority ?? settings.task_default_priority ?? 0,
    serializer: options.serializer ?? rule.serializer ?? settings.task_serializer,
    compression: options.compression ?? rule.compression ?? settings.task_compression,
  })
  if (exchange !== undefined) return to(exchange, routingKey ?? '', null)
  const queue = queueNamed(options.queue ?? rule.queue ?? settings.task_default_queue, settings)
  if (queue.exchange.type === 'direct') return to('', queue.name, queue.name)
  return to(queue.exchange.name, routingKey ?? queue.routingKey, queue.name)
}

/** The route of the first router that knows the task. */
function ruleFor(
  task: string,
  options: SendOptions,
  settings: Settings,
  args: readonly unknown[],
  kwargs: Kwargs,
): RouteRule {
  for (const router of settings.task_routes ?? []) {
    const found =
      typeof router === 'function'
        ? checked(router(task, args, kwargs, { ...options }), task)
        : isRouterPair(router)
          ? // Unlike `test`, `search` starts at the first character even if the expression has the flag `g` or `y`.
            task.search(router[0]) >= 0 && router[1]
          : inMap(task, router)
    if (found) return typeof found === 'string' ? { queue: found } : found
  }
  return {}
}

/** The task's full name takes precedence over patterns, wherever it is in the map. */
function inMap(task: string, map: RouteMap): string | RouteRule | undefined {
  if (Object.hasOwn(map, task)) return map[task]
  return Object.entries(map).find(([pattern]) => matchesGlob(task, pattern))?.[1]
}

function checked(found: unknown, task: string): string | RouteRule | null {
  if (found === null || found === undefined) return null
  try {
    return route(found)
  } catch (thrown) {
    throw new TypeError(
      `task_routes: a function gave ${repr(found, SHOWN)} for ${task}: ${(thrown as Error).message}, the name of a queue, or null`,
    )
  }
}
