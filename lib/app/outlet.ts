import type { PublishRetryPolicy } from '../broker/publishTries.js'
import type { Signature } from '../canvas/signature.js'
import type { Backend, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Kwargs } from '../protocol/message.js'
import type { Settings } from '../settings/table.js'
import type { SentKey } from './orderKey.js'

/** A signature, such as `task.s()` gives. */
export interface SignatureValue {
  /** The signature's form in messages, Celery's. */
  toJSON(): Signature
}

/** How a task's message is sent. */
export interface SendOptions {
  /** The id of the task; a new UUID unless given. */
  taskId?: string
  /** The queue; by default what `task_routes` says, else `task_default_queue`. */
  queue?: string
  /** The exchange; by default that of the queue. */
  exchange?: string
  /** The routing key; by default that of the queue. */
  routingKey?: string
  /** Seconds from now until the task may run. */
  countdown?: number
  /** When the task may run; takes precedence over `countdown`. */
  eta?: Date
  /** When it is too late to run the task: seconds from now, or a date. */
  expires?: number | Date
  /**
   * The priority from 0 to 255, for queues with priorities; by default what `task_routes` or `task_default_priority`
   * says.
   */
  priority?: number
  /**
   * The serializer: `json`, `yaml`, `msgpack`, or one that was registered; by default what `task_routes` or
   * `task_serializer` says.
   */
  serializer?: string
  /** The compression: `gzip`, `brotli` or `zstd`; by default what `task_routes` or `task_compression` says. */
  compression?: string
  /** Custom headers, in addition to Celery's own. */
  headers?: Record<string, unknown>
  /**
   * The order key: the header `order_key`. Messages of one key run one after the other, in the order in which they were
   * sent; a list gives the parts of a nested key. A key from the task's `orderBy` or from `task_order_by` takes
   * precedence.
   */
  orderKey?: SentKey
  /** Celery's stamps: values, or lists of them, by name. */
  stamps?: Record<string, unknown>
  /** Seconds until a run is given up; by default the worker's setting. */
  timeLimit?: number
  /** Seconds until a run is asked to end; by default the worker's setting. */
  softTimeLimit?: number
  /** Shown in place of the task's name, in logs and by monitors. */
  shadow?: string
  /** The queue for the reply where results are sent as messages; by default the app's own. */
  replyTo?: string
  /** The id of the first task of the workflow; by default that of the sending task, or the task's own id. */
  rootId?: string
  /** The id of the parent task; by default the sending task, if there is one. */
  parentId?: string
  /** Sent with the result once the task has succeeded: a signature or several. */
  link?: SignatureValue | readonly SignatureValue[]
  /**
   * Sent after a failure, with the id of the task; a signature of a task with two or more arguments is called where the
   * task ran.
   */
  linkError?: SignatureValue | readonly SignatureValue[]
  /**
   * Whether to try again when the connection is lost. By default what `task_publish_retry` says; from inside a task,
   * until the broker has the message.
   */
  retry?: boolean
  /** How often to try again; missing fields are taken from `task_publish_retry_policy`. */
  retryPolicy?: Partial<PublishRetryPolicy>
  /** Whether to store no result. By default the task's own option if the task is defined in this app, else false. */
  ignoreResult?: boolean
}

/** Where a message goes, its priority, and how it is encoded. */
export interface Route {
  readonly exchange: string
  readonly routingKey: string
  readonly priority: number
  /** JSON by default. */
  readonly serializer?: string
  /** None by default. */
  readonly compression?: string | null
  /**
   * The queue to declare before the first message to it, as Celery's publisher does; null if only the exchange is
   * known.
   */
  readonly queue: string | null
}

/** Sends an app's messages: the worker's own publisher while a worker runs the app, one of the app's own otherwise. */
export interface Outlet {
  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route
  /** How often to try to send a message; undefined, or absent, to wait until the broker has it. */
  tries?(options: SendOptions): PublishTries | undefined
  /** Makes sure that the route's queue exists. Undefined if that is known already: called for each message. */
  prepare(route: Route, tries?: PublishTries): Promise<void> | undefined
  /** Publishes a message that is due after `delayMs`; resolves once the broker has it. */
  send(message: OutgoingMessage, route: Route, delayMs: number, tries?: PublishTries): Promise<void>
  /** Sends a remote control command to all workers, without waiting for replies. Absent where nothing is sent. */
  tellWorkers?(method: string, args: Readonly<Record<string, unknown>>): Promise<void>
  /** The settings that apply to what is sent, from all their sources. Absent where only those of the app count. */
  readonly settings?: Settings
  /** The backend that has the results of what is sent. */
  readonly backend: Backend
  /** Resolves when `backend` knows what it can do. Absent where it always does. */
  loaded?(): Promise<void>
  close(): Promise<void>
}
