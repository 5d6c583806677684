import type { PublishRetryPolicy } from '../broker/publishTries.js'
import type { Signature } from '../canvas/signature.js'
import type { Backend, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Kwargs } from '../protocol/message.js'

/** A signature, such as `task.s()` gives. */
export interface SignatureValue {
  /** Its form in messages, Celery's. */
  toJSON(): Signature
}

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
  /** `json`, `yaml`, `msgpack`, or one that was registered; by default what `task_routes` or `task_serializer` says. */
  serializer?: string
  /** `gzip`, `brotli` or `zstd`; by default what `task_routes` or `task_compression` says. */
  compression?: string
  /** Custom headers, beside Celery's own. */
  headers?: Record<string, unknown>
  /** Celery's stamps: values, or lists of them, by name. */
  stamps?: Record<string, unknown>
  /** Seconds after which a run is given up; by default what the worker says. */
  timeLimit?: number
  /** Seconds after which a run is told to end; by default what the worker says. */
  softTimeLimit?: number
  /** Shown in place of the task's name, in logs and by monitors. */
  shadow?: string
  /** The queue that a reply goes to where results are sent as messages; by default the app's own. */
  replyTo?: string
  /** By default that of the task which it is sent from, or its own id. */
  rootId?: string
  /** By default the task that it is sent from, if it is. */
  parentId?: string
  /** Sent with the result, once there is one: a signature or several. */
  link?: SignatureValue | readonly SignatureValue[]
  /** Sent after a failure, with the id of the task; one that takes two arguments or more is called where the task ran. */
  linkError?: SignatureValue | readonly SignatureValue[]
  /** Whether to try again when the connection is lost. By default what `task_publish_retry` says; from inside a task, until the broker has it. */
  retry?: boolean
  /** How often to try again; what it leaves out is as `task_publish_retry_policy` says. */
  retryPolicy?: Partial<PublishRetryPolicy>
  /** Whether nobody wants the result: it isn't stored then. By default what the task says, where it is defined here, else false. */
  ignoreResult?: boolean
}

/** Where a message goes, with what priority, and how it is written. */
export interface Route {
  readonly exchange: string
  readonly routingKey: string
  readonly priority: number
  /** JSON unless given. */
  readonly serializer?: string
  /** None unless given. */
  readonly compression?: string | null
  /** The queue to declare before the first message to it, as Celery's publisher does; null where only the exchange is known. */
  readonly queue: string | null
}

/** What sends an app's messages: the worker's own publisher while a worker runs the app, one of the app's own otherwise. */
export interface Outlet {
  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route
  /** How often a message is tried; undefined, or absent, where it waits until the broker has it. */
  tries?(options: SendOptions): PublishTries | undefined
  /** Makes sure that the route's queue is there. Undefined if it is known to be: each message asks. */
  prepare(route: Route, tries?: PublishTries): Promise<void> | undefined
  /** Publishes a message that is due after `delayMs`; resolves once the broker has it. */
  send(message: OutgoingMessage, route: Route, delayMs: number, tries?: PublishTries): Promise<void>
  /** Sends a command of remote control to all workers, and waits for no answer. Absent where nothing is sent. */
  tellWorkers?(method: string, args: Readonly<Record<string, unknown>>): Promise<void>
  /** Where the results of what is sent can be asked for. */
  readonly backend: Backend
  /** Resolves when `backend` knows what it can do. Absent where it always does. */
  loaded?(): Promise<void>
  close(): Promise<void>
}
