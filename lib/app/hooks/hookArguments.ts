import type { AmqpProperties, AmqpTable } from '../../protocol/amqp.js'
import type { Kwargs } from '../../protocol/message.js'
import type { RequestInfo } from '../context.js'
import type { Retry } from '../predicate.js'
import type { Task } from '../task.js'

/** What every hook about a task of this app receives: the task, the id of its message, and its request. */
export interface TaskFacts {
  /** The task's definition; `task.name` is its name. Celery's `sender`. */
  readonly task: Task
  /** The id of the task's message. Celery's `task_id`. */
  readonly id: string
  /** The facts about the message, as in `self.request`. */
  readonly request: RequestInfo
}

/** Positional and keyword arguments of a task. */
export interface CallFacts extends TaskFacts {
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments. */
  readonly kwargs: Kwargs
}

/** How a run ended, as passed to `taskPostrun`. ABORTED is Celeriac's own: the run was asked to stop, and did. */
export type RunState = 'SUCCESS' | 'FAILURE' | 'RETRY' | 'IGNORED' | 'REJECTED' | 'ABORTED'

/** A message as the broker delivered it. */
export interface MessageFacts {
  /** The queue that it was taken from. */
  readonly queue: string
  /** The exchange that it was sent to. */
  readonly exchange: string
  /** The routing key that it was sent with. */
  readonly routingKey: string
  /** Its AMQP properties, `headers` among them. */
  readonly properties: AmqpProperties
  /** The message's body, as bytes. */
  readonly content: Buffer
}

/** A task message about to be sent. `body`, `headers` and `properties` may be changed in place, as in Celery. */
export interface OutgoingFacts {
  /** The name of the task. Celery's `sender`. */
  readonly name: string
  /** The id that the message was made with. */
  readonly id: string
  /** The three parts of protocol 2's body: positional arguments, keyword arguments, and the rest. */
  readonly body: [args: unknown[], kwargs: Kwargs, embed: Record<string, unknown>]
  /** Celery's own headers and custom ones. */
  readonly headers: Record<string, unknown>
  /** AMQP properties without the headers: `priority`, `expiration`, `replyTo`... */
  readonly properties: {
    -readonly [Name in keyof Omit<AmqpProperties, 'headers' | 'unreadable'>]: AmqpProperties[Name]
  }
  /** The exchange that the message goes to; empty for the default exchange. */
  readonly exchange: string
  /** The routing key of the message: the queue's name if the exchange is the default one. */
  readonly routingKey: string
}

/** What `workerInit` and other hooks about a worker receive. */
export interface WorkerFacts {
  /** The worker's node name: `celery@host`. */
  readonly hostname: string
}

/** The names of all hooks, and the one argument that each receives. Mirrors `celery.signals`, in camelCase. */
export interface HookArguments {
  /**
   * A message is about to be published; the hook is awaited, and may change `body`, `headers` and `properties` in
   * place.
   */
  beforeTaskPublish: OutgoingFacts
  /** A message was published and confirmed by the broker; the sender waits for the hook. */
  afterTaskPublish: Readonly<Omit<OutgoingFacts, 'body' | 'headers' | 'properties'>> & {
    /** The parts of the message's body. */
    readonly body: readonly [args: readonly unknown[], kwargs: Kwargs, embed: Record<string, unknown>]
    /** The message's headers. */
    readonly headers: AmqpTable
  }
  /** A task was received, also when it comes back for a retry. Called in the worker's own process. Not awaited. */
  taskReceived: TaskFacts
  /**
   * A task is about to run: its handler waits for the hook. Called where the handler runs: with prefork and threads in
   * the child.
   */
  taskPrerun: CallFacts
  /**
   * A run has ended, in whatever way; called after `taskSuccess`, `taskFailure` or `taskRetry`, where the handler ran.
   */
  taskPostrun: CallFacts & {
    /** The result, or the error, `Retry`, `Ignore` or `Reject` that ended it. */
    readonly retval: unknown
    /** How the run ended. */
    readonly state: RunState
  }
  /** A task has returned; its result is stored next. Called where the handler ran. */
  taskSuccess: TaskFacts & {
    /** The task's return value. */
    readonly result: unknown
  }
  /**
   * A task has failed for good. Called where the handler ran, or in the worker's own process if that could not report
   * it: at a hard time limit, when the child died, or when the result could not be stored.
   */
  taskFailure: CallFacts & {
    /** The error that the task failed with. */
    readonly exception: Error
  }
  /** A task wants another run. Called where the handler ran. */
  taskRetry: TaskFacts & {
    /** The `Retry` that was thrown; its `options` say when and why. */
    readonly reason: Retry
    /** The error behind the retry; null without one. Celery's `einfo`. */
    readonly exception: Error | null
  }
  /** A task won't run, or was stopped, because it was revoked or has expired. Called in the worker's own process. */
  taskRevoked: TaskFacts & {
    /** Whether the task was running and was stopped. */
    readonly terminated: boolean
    /** The number of the signal that stopped the task; null without one. */
    readonly signum: number | null
    /** Whether the task had expired. */
    readonly expired: boolean
  }
  /**
   * A message that is not a valid task message was dropped, or dead-lettered by its queue. Called in the worker's own
   * process.
   */
  taskRejected: {
    /** The message. */
    readonly message: MessageFacts
    /** The reason; null for a message that isn't Celery's at all. */
    readonly exc: Error | null
  }
  /** A message names a task that this app doesn't have. Called in the worker's own process. */
  taskUnknown: {
    /** The message. */
    readonly message: MessageFacts
    /** The name of the task. */
    readonly name: string
    /** The id of the message. */
    readonly id: string
    /** The error that was logged for the message. */
    readonly exc: Error
  }
  /** A worker starts. Called before resources, children and tasks, which wait for the hook. */
  workerInit: WorkerFacts
  /** A process or thread that runs tasks has loaded the app and its resources: each child, or the worker itself. Tasks wait for the hook. */
  workerProcessInit: WorkerFacts
  /** The worker consumes from its queues for the first time. */
  workerReady: WorkerFacts
  /** A stop begins, while tasks still run. */
  workerShuttingDown: WorkerFacts & {
    /** Warm: running tasks are waited for. Cold: they are stopped. */
    readonly how: 'Warm' | 'Cold'
    /** The signal that asked for it, such as SIGTERM; null when a program or remote control did. */
    readonly sig: string | null
    /** The exit code of the process, as far as it is known. */
    readonly exitcode: number
  }
  /** The last task has ended, and resources are closed; the worker waits for the hook before it ends. */
  workerShutdown: WorkerFacts
}

/** The name of a hook, such as `taskPrerun`. */
export type HookName = keyof HookArguments

/**
 * A function that is called at a certain point in the life of a task or a worker. Its return value is awaited, then
 * ignored.
 */
export type Hook<Name extends HookName = HookName> = (facts: HookArguments[Name]) => unknown
