import type { Logger } from '../ports.js'
import type { AmqpProperties, AmqpTable } from '../protocol/amqp.js'
import type { Kwargs, SignatureDict } from '../protocol/message.js'
import { repr, reprArgs } from '../protocol/repr.js'
import { addedMember } from './addedMember.js'
import type { AsyncResult } from './asyncResult.js'
import { ADD_OPTIONS, RETRY_OPTIONS, STATE_OPTIONS } from './callOptionTables.js'
import { currentRun } from './current.js'
import { checkOptions } from './options.js'
import { MaxRetriesExceededError, Replace, Retry, type RetryOptions } from './predicate.js'
import { replacementOf } from './replacement.js'
import type { AnyResult } from './result.js'
import { type AnySignature, dictOf, homeOf, Signature, type SignatureHome } from './workflow/signature.js'

/** Celery's `self.request`. */
export interface RequestInfo {
  /** The id of the task's message: the same for each of its retries. */
  readonly id: string
  /** The name of the task. */
  readonly task: string
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments. */
  readonly kwargs: Kwargs
  /** How often the task was retried before; 0 in the first run. */
  readonly retries: number
  /** The id of the first task of the workflow; the task's own id without a workflow. */
  readonly rootId: string
  /** The id of the task that sent this one; null if no task did. */
  readonly parentId: string | null
  /** The id of the group that the task belongs to; null without one. */
  readonly group: string | null
  /** The task's position in its group; null without one. */
  readonly groupIndex: number | null
  /** Signatures that are sent with the result once the task has succeeded, as they travel. */
  readonly callbacks: readonly SignatureDict[]
  /** Signatures that are called when the task has failed. */
  readonly errbacks: readonly SignatureDict[]
  /** The steps of the task's chain that come after it, the next one last. */
  readonly chain: readonly SignatureDict[]
  /** The body of the chord that the task is a member of; null without one. */
  readonly chord: SignatureDict | null
  /** Time limits set by the sender, in seconds, the hard one first; null for none. */
  readonly timelimit: readonly [hard: number | null, soft: number | null]
  /** The earliest time to run the task; null for at once. */
  readonly eta: Date | null
  /** When the task is too late to run; null for never. */
  readonly expires: Date | null
  /** Celery's stamps by name. */
  readonly stamps: Readonly<Record<string, unknown>>
  /** How many replacements (`replace`) led to this task. */
  readonly replacedTaskNesting: number
  /** AMQP's correlation id, by which a reply is recognised. */
  readonly correlationId: string | null
  /** The queue where the sender waits for a reply. */
  readonly replyTo: string | null
  /** Node name of the worker. */
  readonly hostname: string
  /** Headers that the sender added to Celery's own. */
  readonly headers: AmqpTable
  /** The message's AMQP properties, such as `contentType` and `expiration`. */
  readonly properties: Omit<AmqpProperties, 'headers'>
  /** Where the message came from. */
  readonly deliveryInfo: {
    /** The exchange that it was sent to; empty for the default one. */
    readonly exchange: string
    /** The routing key that it was sent with. */
    readonly routingKey: string
    /** The priority that it was sent with; 0 without one. */
    readonly priority: number
    /** Whether the broker has delivered it before. */
    readonly redelivered: boolean
  }
}

/** What a task sees of its request. */
export interface TaskRequest extends RequestInfo {
  /** The results of the tasks and groups that this task has sent so far: the same as `self.startedChildren`. */
  readonly children: readonly AnyResult[]
}

const NO_RESOURCES = Object.freeze({})

/** The first argument of a task defined with `bind: true`. `Shared` are the app's resources by name. */
export class TaskContext<Shared extends object = object> {
  /** The facts about the message that the task runs for. */
  readonly request: TaskRequest

  constructor(
    request: RequestInfo,
    /**
     * Aborted when the run has to end: on a soft time limit, a cold stop, or a lost connection while the task holds an
     * order key.
     */
    readonly signal: AbortSignal,
    /** A log whose lines carry the task's name and id. */
    readonly log: Logger,
    private readonly task: {
      readonly name: string
      readonly maxRetries: number | null
      readonly home: SignatureHome
    },
    private readonly store: (state: string, meta: unknown) => Promise<void>,
    /** Resources that `app.resource` has opened in this process, by name: `self.resources.db`. */
    readonly resources: Shared = NO_RESOURCES as Shared,
  ) {
    // Not enumerable: most tasks send nothing, and a copy of the request is not to change with what is sent later.
    const children = { configurable: true, get: () => this.startedChildren }
    this.request = Object.defineProperty(request as TaskRequest, 'children', children)
  }

  /**
   * Stores a state of the task's own, such as PROGRESS with a percentage. Mirrors Celery's `update_state`.
   * @throws TypeError for a wrong option; CeleriacError when the state can't be stored
   */
  async updateState(options: { state: string; meta?: unknown }): Promise<void> {
    checkOptions('updateState', options, STATE_OPTIONS)
    const { state, meta = null } = options
    await this.store(state, meta)
  }

  /**
   * The results of the tasks and groups that this task has sent so far, in that order. Once the task has ended, they
   * are the `children` of its own result, together with those that follow from it. Celery's `request.children`, and
   * also there.
   */
  get startedChildren(): readonly AnyResult[] {
    const children = currentRun.getStore()?.children ?? []
    return children.map((tuple) => this.task.home.resultOf(tuple))
  }

  /**
   * Replaces this task with a signature or a whole workflow: `throw self.replace(sig)`. The replacement gets the task's
   * id, so that its result is the task's; callbacks, the chord and the rest of the chain come after it. Mirrors
   * Celery's `Task.replace`.
   * @throws ImproperlyConfigured for an empty chain, and for a signature that is part of a chord already; TypeError for
   *   a value that is not a signature
   */
  replace(sig: AnySignature): Replace {
    const replacement = replacementOf(dictOf(sig, 'self.replace'), this.request)
    return new Replace(async () => {
      await homeOf([sig], this.task.home).apply(replacement, {})
    })
  }

  /**
   * Sends a signature or a whole workflow as one more member of the chord that this task is a member of. The body waits
   * for it too, and gets its result next to this task's own, before or after it. A group counts as one member, whose
   * result is the list of the group's results. A second run of the task, such as after a crash, adds another member.
   * Mirrors Celery's `Task.add_to_chord`.
   * @param options with `lazy` nothing is sent: the signature that is returned has to be sent, once, or the chord never
   *   completes
   * @throws RangeError, Python's ValueError, if this task is in no chord; NotImplementedError if the result backend
   *   does not count chords; what `delay` throws
   */
  addToChord<Result>(
    sig: Signature<readonly [], Result, unknown>,
    options?: { readonly lazy?: false },
  ): Promise<AsyncResult<Result>>
  addToChord<Result>(
    sig: Signature<readonly [], Result, unknown>,
    options: { readonly lazy: true },
  ): Promise<Signature<readonly [], Result>>
  async addToChord(sig: Signature<readonly []>, options: { readonly lazy?: boolean } = {}): Promise<unknown> {
    checkOptions('addToChord', options, ADD_OPTIONS)
    const member = addedMember(dictOf(sig, 'self.addToChord'), this.request)
    const home = homeOf([sig], this.task.home)
    if (options.lazy !== true) return home.apply(member.sig, {}, member.groupId)
    const added = new Signature<readonly []>(member.sig, home)
    added.freeze()
    await home.joinChord(member.groupId)
    return added
  }

  /**
   * Asks for another run: `throw self.retry({ countdown: 10 })`. Mirrors Celery's `Task.retry`.
   * @throws TypeError for a wrong option; `exc`, or MaxRetriesExceededError, when the retries are used up
   */
  retry(options: RetryOptions = {}): Retry {
    checkOptions('retry', options, RETRY_OPTIONS)
    const limit = options.maxRetries === undefined ? this.task.maxRetries : options.maxRetries
    if (limit !== null && this.request.retries + 1 > limit) {
      if (options.exc) throw options.exc
      throw new MaxRetriesExceededError(
        `Can't retry ${this.task.name}[${this.request.id}] args:${reprArgs(this.request.args)} kwargs:${repr(this.request.kwargs)}`,
      )
    }
    return new Retry(options)
  }
}
