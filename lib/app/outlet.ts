import type { Backend } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'

/** How a task's message is sent. */
export interface SendOptions {
  /** A fresh UUID unless given. */
  taskId?: string
  /** By default what `task_routes` says, else `task_default_queue`. */
  queue?: string
  /** By default that of the queue. */
  exchange?: string
  /** By default that of the queue. */
  routingKey?: string
  /** Seconds from now until the task may run. */
  countdown?: number
  /** When the task may run; wins over `countdown`. */
  eta?: Date
  /** When it is too late to run the task: seconds from now, or a date. */
  expires?: number | Date
  /** From 0 to 255, for queues with priorities; by default what `task_routes` or `task_default_priority` says. */
  priority?: number
  /** Custom headers, beside Celery's own. */
  headers?: Record<string, unknown>
  /** Whether nobody wants the result: it isn't stored then. By default what the task says, where it is defined here, else false. */
  ignoreResult?: boolean
}

/** Where a message goes, and with what priority. */
export interface Route {
  readonly exchange: string
  readonly routingKey: string
  readonly priority: number
  /** The queue to declare before the first message to it, as Celery's publisher does; null where only the exchange is known. */
  readonly queue: string | null
}

/** What sends an app's messages: the worker's own publisher while a worker runs the app, one of the app's own otherwise. */
export interface Outlet {
  route(task: string, options: SendOptions): Route
  /** Makes sure that the route's queue is there. */
  prepare(route: Route): Promise<void>
  /** Publishes a message that is due after `delayMs`; resolves once the broker has it. */
  send(message: OutgoingMessage, route: Route, delayMs: number): Promise<void>
  /** Where the results of what is sent can be asked for. */
  readonly backend: Backend
  close(): Promise<void>
}
