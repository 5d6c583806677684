import type { Task } from '../app/task.js'
import type { ListNode } from '../containers/linkedList.js'
import type { Clock, Delivery, Timer } from '../ports.js'
import type { Kwargs, TaskMessage } from '../protocol/message.js'
import { clipName } from '../protocol/printable.js'
import type { ResultTuple } from '../protocol/result.js'
import type { Place } from './lanes.js'

export type RevokeReason = 'expired' | 'revoked' | 'terminated'

/** ready: waits only for a slot. parked: waits for something else, and uses no slot meanwhile. */
export type RequestState = 'received' | 'parked' | 'ready' | 'running' | 'done'

/** What a parked request waits for: its time, the messages of its key before it, its next try, a breaker, or its task's rate limit. */
export type ParkReason = 'eta' | 'order' | 'retry' | 'breaker' | 'rate'

/** One task message on its way through the worker. Only `WorkerState.move` changes its state, and keeps the counts. */
export class Request {
  state: RequestState = 'received'
  parkedFor: ParkReason | null = null
  /** Retries counted in the message, and one more for each retry in the lane. */
  retries: number
  args: readonly unknown[]
  kwargs: Kwargs
  /** Monotonic milliseconds at which the present try began. */
  startedAt: number | null = null
  /** Id of the process that the present try runs in. */
  pid: number | null = null
  /** Place in the order of its key. Only `Lanes` changes it. */
  place: Place<Request> | null = null
  /** Its places among all requests and among those that run. Only `WorkerState` changes them. */
  inHand: ListNode<Request> | null = null
  inSlot: ListNode<Request> | null = null
  private controller: AbortController | null = null
  /** Null for none: most requests never have any, and those that wait have one. */
  private timers: Timer | readonly Timer[] | null = null
  private sent: ResultTuple[] | null = null

  constructor(
    readonly message: TaskMessage,
    readonly task: Task,
    readonly delivery: Delivery,
    /**
     * Messages of one key run one after another; null for no order. The parts of a nested key are separated by a slash.
     */
    readonly key: string | null,
    /** True if the message is acknowledged after the run; always so with a key. */
    readonly acksLate: boolean,
    /** Monotonic milliseconds. */
    readonly receivedAt: number,
  ) {
    this.retries = message.retries
    this.args = message.args
    this.kwargs = message.kwargs
  }

  /** Ids of the tasks that its run has sent. */
  get children(): ResultTuple[] {
    this.sent ??= []
    return this.sent
  }

  /** Keeps the children as they are: what its run has left behind may go on sending for as long as the process lives. */
  closeChildren(): void {
    if (this.sent !== null) Object.freeze(this.sent)
  }

  /** Forgets what its run has sent. */
  forgetChildren(): void {
    this.closeChildren()
    this.sent = null
  }

  get id(): string {
    return this.message.id
  }

  get rootId(): string {
    return this.message.rootId
  }

  /** Name for logs and events; a sender may choose it. */
  get name(): string {
    return this.message.shadow ?? this.message.task
  }

  /** `name[id]`, as Celery's log lines have it. */
  get label(): string {
    return labelOf(this.message)
  }

  /** Created when first asked for: most tasks never do. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    return this.controller.signal
  }

  /** True while it is being sent on to wait for its ETA. It is acknowledged once it is there. */
  leaving = false
  /** True if hooks were told of its failure where it ran, and need not be told here. */
  failureTold = false
  /** Number of the signal that the running task was revoked with: whatever the task does then, it ends as revoked. */
  terminatedBy: number | null = null

  get aborted(): boolean {
    return this.controller?.signal.aborted ?? false
  }

  abort(reason: Error): void {
    this.controller ??= new AbortController()
    this.controller.abort(reason)
  }

  /** True once what its run still does no longer counts: it was terminated, or its message is delivered again. */
  get isOver(): boolean {
    return this.terminatedBy !== null || (this.acksLate && !this.delivery.live)
  }

  isExpired(clock: Pick<Clock, 'now'>): boolean {
    return this.message.expires !== null && clock.now() > this.message.expires
  }

  /** Remembers a timer that is void once the request runs or is gone. */
  addTimer(timer: Timer): void {
    this.timers = this.timers === null ? timer : [this.timers, timer].flat()
  }

  cancelTimers(): void {
    if (this.timers === null) return
    const timers = [this.timers].flat()
    this.timers = null
    for (const timer of timers) timer.cancel()
  }
}

/**
 * Makes the name of a message in log lines, `name[id]` as in Celery. Both parts are cut where they are longer than any
 * honest one.
 */
export function labelOf({ id, shadow, task }: Pick<TaskMessage, 'id' | 'shadow' | 'task'>): string {
  return `${clipName(shadow ?? task)}[${clipName(id)}]`
}
