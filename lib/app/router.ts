import { matchesGlob } from '../settings/glob.js'
import { queueNamed } from '../settings/queues.js'
import type { RouteRule } from '../settings/routing.js'
import type { Settings } from '../settings/table.js'
import type { Route, SendOptions } from './outlet.js'

/**
 * Where a task's message goes: the call's own options, else `task_routes`, else the default queue. Mirrors Celery's router:
 * what is for a queue on a direct exchange travels through the default exchange, with the queue's name as routing key.
 */
export function routeTask(task: string, options: SendOptions, settings: Settings): Route {
  const rule = ruleFor(task, settings)
  const exchange = options.exchange ?? (options.queue === undefined ? rule.exchange : undefined)
  const routingKey = options.routingKey ?? (options.queue === undefined ? rule.routing_key : undefined)
  const priority = options.priority ?? rule.priority ?? settings.task_default_priority ?? 0
  if (exchange !== undefined) return { exchange, routingKey: routingKey ?? '', priority, queue: null }
  const queue = queueNamed(options.queue ?? rule.queue ?? settings.task_default_queue, settings)
  if (queue.exchange.type === 'direct') return { exchange: '', routingKey: queue.name, priority, queue: queue.name }
  return { exchange: queue.exchange.name, routingKey: routingKey ?? queue.routingKey, priority, queue: queue.name }
}

function ruleFor(task: string, settings: Settings): RouteRule {
  for (const [pattern, rule] of Object.entries(settings.task_routes ?? {})) {
    if (matchesGlob(task, pattern)) return typeof rule === 'string' ? { queue: rule } : rule
  }
  return {}
}
