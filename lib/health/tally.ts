import type { Retry } from '../app/predicate.js'
import type { Clock } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { namesOf } from '../protocol/exception.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request } from '../request/request.js'
import type { TaskEvents } from '../request/taskEvents.js'
import { Histogram } from './histogram.js'

/**
 * Seconds. The default of celery-exporter, from Python's Prometheus client: its queries add up buckets of the same
 * bound.
 */
const RUNTIME_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** With further bounds for messages that wait for minutes. */
const WAIT_BOUNDS: readonly number[] = [...RUNTIME_BOUNDS, 30, 60, 300, 1800]
/** Names beyond these limits are counted together under `OTHER`, so that a monitor is not overloaded. */
const MOST_TASKS = 500
const MOST_EXCEPTIONS = 30
export const OTHER = 'other'

/** Counts what happened to the messages of one task from one queue. */
export class TaskCounts {
  sent = 0
  received = 0
  started = 0
  succeeded = 0
  retried = 0
  rejected = 0
  revoked = 0
  readonly failed = new Map<string, number>()
  /** Seconds; only runs that succeeded, as in celery-exporter. */
  readonly runtime = new Histogram(RUNTIME_BOUNDS)
  /** Seconds from the receipt, or from the ETA if that is later, to the start of the first try. */
  readonly wait = new Histogram(WAIT_BOUNDS)

  constructor(
    readonly name: string,
    readonly queue: string,
  ) {}
}

/**
 * Counts what happens to tasks, by name and queue. Listens to the events for monitors, and does very little for each.
 */
export class TaskTally implements TaskEvents {
  private readonly queues = new Map<string, Map<string, TaskCounts>>()
  /** Messages received, of every consumed queue: ages are derived from them. */
  private readonly arrived = new Map<string, number>()
  private size = 0

  constructor(
    private readonly clock: Clock,
    /** Returns whether the app has a task of this name. */
    private readonly isKnown: (name: string) => boolean,
  ) {}

  /** Every task with any event. */
  *[Symbol.iterator](): Iterator<TaskCounts> {
    for (const tasks of this.queues.values()) yield* tasks.values()
  }

  /** Returns the number of messages received from a queue. */
  arrivedFrom(queue: string): number {
    return this.arrived.get(queue) ?? 0
  }

  received(request: Request, eta?: number): void {
    this.of(request).received++
    // With an ETA it is a retry that waits here, and not a new message.
    if (eta === undefined) this.returned(request)
  }

  /** Counts it among the messages of its queue, like any other. */
  returned(request: Request): void {
    this.of(request)
    const { queue } = request.delivery
    this.arrived.set(queue, this.arrivedFrom(queue) + 1)
  }

  started(request: Request): void {
    const counts = this.of(request)
    counts.started++
    if (request.retries === request.message.retries) counts.wait.observe(this.waitedMs(request) / 1000)
  }

  succeeded(request: Request, _result: unknown, runtimeMs: number): void {
    const counts = this.of(request)
    counts.succeeded++
    counts.runtime.observe(runtimeMs / 1000)
  }

  failed(request: Request, error: Error): void {
    fail(this.of(request), namesOf(error).excType)
  }

  retried(request: Request, _retry: Retry): void {
    this.of(request).retried++
  }

  revoked(request: Request): void {
    this.of(request).revoked++
  }

  rejected(request: Request): void {
    this.of(request).rejected++
  }

  cancelled(): void {
    // The message goes back to the broker, and is counted where it ends.
  }

  unregistered(_message: TaskMessage): void {
    fail(this.at('', OTHER), 'NotRegistered')
  }

  sent({ properties }: OutgoingMessage, queue: string | null): void {
    const name = String(properties.headers?.task)
    this.at(queue ?? '', this.isKnown(name) ? name : OTHER).sent++
  }

  private of({ delivery, task }: Request): TaskCounts {
    return this.at(delivery.queue, task.name)
  }

  private at(queue: string, name: string): TaskCounts {
    return this.queues.get(queue)?.get(name) ?? this.add(queue, name)
  }

  private add(queue: string, name: string): TaskCounts {
    if (this.size >= MOST_TASKS && !(queue === OTHER && name === OTHER)) return this.at(OTHER, OTHER)
    const of = this.queues.get(queue) ?? new Map<string, TaskCounts>()
    const counts = new TaskCounts(name, queue)
    of.set(name, counts)
    this.queues.set(queue, of)
    this.size++
    return counts
  }

  private waitedMs({ message, receivedAt }: Request): number {
    const sinceReceived = this.clock.monotonic() - receivedAt
    if (message.eta === null) return sinceReceived
    return Math.min(sinceReceived, Math.max(0, this.clock.now() - message.eta))
  }
}

function fail({ failed }: TaskCounts, exception: string): void {
  const name = failed.has(exception) || failed.size < MOST_EXCEPTIONS ? exception : OTHER
  failed.set(name, (failed.get(name) ?? 0) + 1)
}
