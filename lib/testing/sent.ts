import type { App } from '../app/app.js'
import type { DeclaredTask } from '../app/declaredTask.js'
import type { Outlet, Route, SendOptions } from '../app/outlet.js'
import { routeTask } from '../app/router.js'
import { BackendError } from '../backends/backendError.js'
import { createDisabledBackend } from '../backends/disabled.js'
import { MemoryChords } from '../backends/memoryChords.js'
import type { Backend } from '../ports.js'
import type { AmqpTable, OutgoingMessage } from '../protocol/amqp.js'
import { serializerNames } from '../protocol/content/serializers.js'
import { decode } from '../protocol/decode.js'
import type { Kwargs } from '../protocol/message.js'
import type { Settings } from '../settings/table.js'
import { settingsOf } from './settingsOf.js'

/** A message that an app has sent. */
export interface SentTask {
  /** Id of the task. */
  readonly id: string
  /** Name of the task. */
  readonly name: string
  /** Positional arguments, as a worker would receive them. */
  readonly args: readonly unknown[]
  /** Keyword arguments, as a worker would receive them. */
  readonly kwargs: Kwargs
  /** Queue that it was sent to; null if only an exchange is known. */
  readonly queue: string | null
  /** Time from which it may run; null for at once. */
  readonly eta: Date | null
  /** Time after which it must not run; null for never. */
  readonly expires: Date | null
  /** Priority of the message, from 0 on. */
  readonly priority: number
  /** Id of the task that sent it; null for none. */
  readonly parentId: string | null
  /** All headers, Celery's own included. */
  readonly headers: AmqpTable
}

/** Messages that an app has sent, oldest first. Recording ends with `stop`, or at the end of the block of `using`. */
export class SentTasks implements Disposable {
  /** The messages. */
  readonly tasks: SentTask[] = []

  constructor(
    private readonly settings: Settings,
    private readonly onStop: () => void,
  ) {}

  /** Returns the messages of one task. @param task a task or its name */
  of(task: string | Pick<DeclaredTask, 'name'>): readonly SentTask[] {
    const wanted = typeof task === 'string' ? task : task.name
    return this.tasks.filter(({ name }) => name === wanted)
  }

  /** Forgets the messages so far. */
  clear(): void {
    this.tasks.length = 0
  }

  /** Stops recording: the app sends through its own connection again. Later calls do nothing. */
  stop(): void {
    this.onStop()
  }

  /** Stops recording, as `stop` does. */
  [Symbol.dispose](): void {
    this.stop()
  }

  /** Records a message. */
  keep({ content, properties }: OutgoingMessage, queue: string | null): void {
    const message = decode(properties, content, limitsOf(this.settings))
    this.tasks.push({
      id: message.id,
      name: message.task,
      args: message.args,
      kwargs: message.kwargs,
      queue,
      eta: dateOf(message.eta),
      expires: dateOf(message.expires),
      priority: properties.priority ?? 0,
      parentId: message.parentId,
      headers: message.headers,
    })
  }
}

/** Active recordings of an app: runs of a single task report to all of them. */
const recording = new WeakMap<App, Set<SentTasks>>()

/**
 * Records what an app sends from now on, instead of sending it: nothing runs, and no broker is needed. Asking for the
 * result of a recorded message is an error. End it with `stop`, or with the block: `using sent = captureSent(app)`.
 */
export function captureSent(app: App): SentTasks {
  const all = recording.get(app) ?? new Set()
  const settings = settingsOf(app)
  const sent: SentTasks = new SentTasks(settings, () => {
    all.delete(sent)
    takeBack()
  })
  const takeBack = app.lend(new CapturingOutlet(settings, (message, queue) => sent.keep(message, queue)))
  recording.set(app, all.add(sent))
  return sent
}

/** Makes the outlet for the tasks of one run: its messages are recorded, also by the active recordings of the app. */
export function outletOfRun(app: App, sent: SentTasks): Outlet {
  return new CapturingOutlet(settingsOf(app), (message, queue) => {
    for (const each of [sent, ...(recording.get(app) ?? [])]) each.keep(message, queue)
  })
}

/** Limits for the body of a message; it is our own. */
export function limitsOf(settings: Settings) {
  return {
    accept: serializerNames(),
    maxSize: Number.POSITIVE_INFINITY,
    maxNesting: settings.worker_max_message_nesting,
    maxItems: settings.worker_max_message_items,
    maxHeaders: settings.worker_max_message_headers,
  }
}

/** The most chords whose sizes are kept. */
const CHORDS = 100

class CapturingOutlet implements Outlet {
  readonly backend: Backend = {
    ...createDisabledBackend(),
    get: notRun,
    subscribe: notRun,
    forget: notRun,
    // A header is sent only where its members can be counted.
    chords: new MemoryChords(CHORDS),
  }

  constructor(
    readonly settings: Settings,
    private readonly onSent: (message: OutgoingMessage, queue: string | null) => void,
  ) {}

  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route {
    return routeTask(task, options, this.settings, args, kwargs)
  }

  async prepare(): Promise<void> {
    // There is no queue.
  }

  async send(message: OutgoingMessage, { queue }: Route): Promise<void> {
    this.onSent(message, queue)
  }

  async close(): Promise<void> {
    // There is no connection.
  }
}

function notRun(id: string): Promise<never> {
  const why = 'what a test captures is not run, and has no result. Use testWorker to run it'
  return Promise.reject(new BackendError(`task ${id} was captured: ${why}`, { retriable: false, facts: { id } }))
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms)
}
