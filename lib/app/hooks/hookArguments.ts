import type { AmqpProperties, AmqpTable } from '../../protocol/amqp.js'
import type { Kwargs } from '../../protocol/message.js'
import type { RequestInfo } from '../context.js'
import type { Retry } from '../predicate.js'
import type { Task } from '../task.js'

/** What every hook about a task of this app is given: the task, the id of its message, and its request. */
export interface TaskFacts {
  /** The task's definition; `task.name` is its name. Celery's `sender`. */
  readonly task: Task
  /** The id of the task's message. Celery's `task_id`. */
  readonly id: string
  /** What is known of the message, as `self.request`. */
  readonly request: RequestInfo
}

/** Positional and keyword arguments of a task. */
export interface CallFacts extends TaskFacts {
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments. */
  readonly kwargs: Kwargs
}

/** How a run ended, as `taskPostrun` is told. ABORTED is Celeriac's own: the run was told to stop, and did. */
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
  /** Its body, as bytes. */
  readonly content: Buffer
}

/** A task message about to be sent. `body`, `headers` and `properties` may be changed in place, as in Celery. */
export interface OutgoingFacts {
  /** The name of the task. Celery's `sender`. */
  readonly name: string
  /** The id that the message was made with. */
  readonly id: string
  /** Positional arguments, keyword arguments, and what else the body carries: protocol 2's three parts. */
  readonly body: [args: unknown[], kwargs: Kwargs, embed: Record<string, unknown>]
  /** Celery's own headers and custom ones. */
  readonly headers: Record<string, unknown>
  /** AMQP properties without the headers: `priority`, `expiration`, `replyTo`... */
  readonly properties: {
    -readonly [Name in keyof Omit<AmqpProperties, 'headers' | 'unreadable'>]: AmqpProperties[Name]
  }
  /** The exchange that it goes to; empty for the default exchange. */
  readonly exchange: string
  /** Its routing key: the queue's name where the exchange is the default one. */
  readonly routingKey: string
}

/** What `workerInit` and other hooks about a worker are given. */
export interface WorkerFacts {
  /** The worker's node name: `celery@host`. */
  readonly hostname: string
}

/** The names of all hooks, and the one argument that each is called with. Mirrors `celery.signals`, in camelCase. */
export interface HookArguments {
  /** A message is about to be published; the hook is waited for, and may change `body`, `headers` and `properties` in place. */
  beforeTaskPublish: OutgoingFacts
  /** A message was published, and confirmed by the broker; whoever sends it waits for the hook. */
  afterTaskPublish: Readonly<Omit<OutgoingFacts, 'body' | 'headers' | 'properties'>> & {
    /** The parts of its body. */
    readonly body: readonly [args: readonly unknown[], kwargs: Kwargs, embed: Record<string, unknown>]
    /** Its headers. */
    readonly headers: AmqpTable
  }
  /** A task was taken in, in the worker's own process; also when it comes back for a retry. Not waited for. */
  taskReceived: TaskFacts
  /** A task is about to run: its handler waits for the hook. Where the handler runs: with prefork and threads in the child. */
  taskPrerun: CallFacts
  /** A run has ended, however that was; told after `taskSuccess`, `taskFailure` or `taskRetry`, where the handler ran. */
  taskPostrun: CallFacts & {
    /** The result, or the error, `Retry`, `Ignore` or `Reject` that ended it. */
    readonly retval: unknown
    /** How the run ended. */
    readonly state: RunState
  }
  /** A task has returned; its result is stored next. Where the handler ran. */
  taskSuccess: TaskFacts & {
    /** What it has returned. */
    readonly result: unknown
  }
  /**
   * A task has failed for good. Where the handler ran; in the worker's own process when that could not tell: at a hard time limit, when
   * the child died, or when the result could not be stored.
   */
  taskFailure: CallFacts & {
    /** The error that it failed with. */
    readonly exception: Error
  }
  /** A task wants another run. Where the handler ran. */
  taskRetry: TaskFacts & {
    /** What was thrown; its `options` say when and why. */
    readonly reason: Retry
    /** The error behind it; null without one. Celery's `einfo`. */
    readonly exception: Error | null
  }
  /** A task won't run, or was stopped, since it was revoked or has expired. In the worker's own process. */
  taskRevoked: TaskFacts & {
    /** It ran, and was stopped. */
    readonly terminated: boolean
    /** Number of the signal that it was stopped with; null without one. */
    readonly signum: number | null
    /** It was too late to run it. */
    readonly expired: boolean
  }
  /** A message that is no valid task message was dropped, or dead-lettered by its queue. In the worker's own process. */
  taskRejected: {
    /** The message. */
    readonly message: MessageFacts
    /** Why; null for a message that isn't Celery's at all. */
    readonly exc: Error | null
  }
  /** A message names a task that this app doesn't have. In the worker's own process. */
  taskUnknown: {
    /** The message. */
    readonly message: MessageFacts
    /** The name of the task. */
    readonly name: string
    /** The id of the message. */
    readonly id: string
    /** The error that says so. */
    readonly exc: Error
  }
  /** A worker starts: before resources, children and tasks, which wait for the hook. */
  workerInit: WorkerFacts
  /** A process or thread that runs tasks has loaded the app and its resources: each child, or the worker itself. Tasks wait for the hook. */
  workerProcessInit: WorkerFacts
  /** The worker consumes from its queues for the first time. */
  workerReady: WorkerFacts
  /** A stop begins, while tasks still run. */
  workerShuttingDown: WorkerFacts & {
    /** Warm: what runs is waited for. Cold: it is stopped. */
    readonly how: 'Warm' | 'Cold'
    /** The signal that asked for it, such as SIGTERM; null when a program or remote control did. */
    readonly sig: string | null
    /** What the process ends with, as far as is known by now. */
    readonly exitcode: number
  }
  /** The last task has ended, and resources are closed; the worker's end waits for the hook. */
  workerShutdown: WorkerFacts
}

/** The name of a hook, such as `taskPrerun`. */
export type HookName = keyof HookArguments

/** A function that is called at a certain point of a task's or worker's life. What it returns is waited for and not looked at. */
export type Hook<Name extends HookName = HookName> = (facts: HookArguments[Name]) => unknown
