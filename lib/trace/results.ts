import type { Backend, Clock, ResultRequest } from '../ports.js'
import type { AmqpTable } from '../protocol/amqp.js'
import { copyOf } from '../protocol/bodyCopy.js'
import { encodeException, RemoteError } from '../protocol/exception.js'
import type { TaskMessage } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import {
  type ExtendedResult,
  encodeRevoked,
  type ResultMeta,
  type ResultTuple,
  resultMeta,
  taskTuple,
} from '../protocol/result.js'
import { EncodeError } from '../protocol/resultText.js'
import { traceback } from '../protocol/traceback.js'
import type { Policy } from '../request/policy.js'
import type { Request } from '../request/request.js'
import type { Unrun } from './unrun.js'

export interface ResultsOptions {
  readonly backend: Backend
  readonly clock: Clock
  /** Node name. */
  readonly hostname: string
  /** `result_extended`. */
  readonly extended: boolean
  policyOf(request: Request): Policy
}

/** Stores the states of requests in a backend, and decides which are kept. Mirrors Celery 5.6's `mark_as_...`. */
export class Results {
  constructor(private readonly options: ResultsOptions) {}

  /**
   * Returns whether the result of a success is ignored: the header wins over the task's option, and that over the
   * setting.
   */
  ignored(request: Request): boolean {
    return this.options.backend.storesNothing || this.wishedAway(request)
  }

  private wishedAway(request: Request): boolean {
    return request.message.ignoreResult ?? this.options.policyOf(request).ignoreResult
  }

  /** Returns whether `started` is to be called. */
  tracksStart(request: Request): boolean {
    return this.options.policyOf(request).trackStarted && !this.ignored(request)
  }

  async started(request: Request): Promise<void> {
    await this.store(request, 'STARTED', { pid: request.pid, hostname: this.options.hostname })
  }

  /** @throws EncodeError if the value can't be written */
  async succeeded(request: Request, result: unknown): Promise<void> {
    if (!this.ignored(request)) await this.store(request, 'SUCCESS', result)
  }

  async failed(request: Request, error: Error, withTraceback = true): Promise<void> {
    if (this.ignored(request) && !this.options.policyOf(request).storeErrorsEvenIfIgnored) return
    await this.store(request, 'FAILURE', encodeException(error), withTraceback ? traceback(error) : null)
  }

  async retried(request: Request, error: Error | undefined): Promise<void> {
    if (this.ignored(request)) return
    // The message of the next try counts as a child of the task.
    const children = [...request.children, taskTuple(request.id)]
    const trace = error ? traceback(error) : null
    await this.store(request, 'RETRY', error ? encodeException(error) : null, trace, children)
  }

  async revoked(request: Request, reason: string): Promise<void> {
    if (this.ignored(request)) return
    await this.store(request, 'REVOKED', encodeRevoked(reason))
  }

  /** Stores a state that the task itself reports. */
  async custom(request: Request, state: string, meta: unknown): Promise<void> {
    await this.store(request, state, meta)
  }

  /** Returns whether the task has succeeded before, as far as the backend knows. */
  async hasSucceeded(request: Request): Promise<boolean> {
    return (await this.options.backend.get(request.id))?.status === 'SUCCESS'
  }

  /**
   * Returns whether this copy of a chord's body is the one to run; null if it can't have been sent twice. If the
   * backend can't tell, it runs: a repeat is allowed, a loss is not.
   */
  takesBody({ id, message }: Request): Promise<boolean> | null {
    const copy = copyOf(message.headers)
    const { chords } = this.options.backend
    return copy !== null && chords ? chords.takeBody({ id, ...copy }).catch(() => true) : null
  }

  /** Stores the failure of a task that was to follow and never will. */
  async failedUnrun({ call, id, options }: Unrun, error: Error, children: readonly ResultTuple[] = []): Promise<void> {
    const { backend, clock, extended } = this.options
    if (backend.storesNothing || options.ignore_result === true) return
    const fields = {
      taskId: id,
      status: 'FAILURE',
      result: encodeException(error),
      traceback: traceback(error),
      children,
    }
    const meta = resultMeta(
      {
        ...fields,
        groupId: textOf(options.group_id),
        parentId: textOf(options.parent_id),
        extended: extended && call ? unrunFields(call) : null,
      },
      clock.now(),
    )
    await this.keep(meta, { replyTo: textOf(options.reply_to), correlationId: id }, call)
  }

  /** Stores the failure of a message whose task this worker doesn't have. */
  async notRegistered(message: TaskMessage): Promise<void> {
    const result = encodeException(notRegistered(message.task))
    await this.options.backend.store(
      resultMeta({ taskId: message.id, status: 'FAILURE', result }, this.options.clock.now()),
      waiterOf(message),
    )
  }

  private async store(
    request: Request,
    status: string,
    result: unknown,
    trace: string | null = null,
    children: readonly ResultTuple[] = request.children,
  ): Promise<void> {
    const { clock } = this.options
    const { message } = request
    const meta: ResultMeta = resultMeta(
      {
        taskId: request.id,
        status,
        result,
        traceback: trace,
        children: [...children],
        groupId: message.group,
        parentId: message.parentId,
        extended: this.options.extended ? this.extend(request) : null,
      },
      clock.now(),
    )
    await this.keep(meta, waiterOf(message), request)
  }

  private async keep(meta: ResultMeta, waiter: ResultRequest, call: Arguments | undefined): Promise<void> {
    const { backend } = this.options
    try {
      await backend.store(meta, waiter)
    } catch (thrown) {
      if (!meta.extended || !call || !(thrown instanceof EncodeError)) throw thrown
      // Arguments may hold values that no result can, such as Infinity: clients must get the result all the same.
      await backend.store({ ...meta, extended: { ...meta.extended, ...asTexts(call) } }, waiter)
    }
  }

  private extend(request: Request): ResultMeta['extended'] {
    const { message, delivery } = request
    return {
      name: message.task,
      args: request.args,
      kwargs: request.kwargs,
      worker: this.options.hostname,
      retries: request.retries,
      queue: delivery.routingKey,
      ...stampsOf(message.headers),
    }
  }
}

/** Makes Celery's error for a task that isn't registered. */
export function notRegistered(task: string): RemoteError {
  return new RemoteError({ exc_type: 'NotRegistered', exc_message: [task], exc_module: 'celery.exceptions' })
}

/** Reads Celery's stamps: one header has their names, another their values. */
function stampsOf({ stamped_headers: names, stamps }: AmqpTable): Pick<ExtendedResult, 'stampedHeaders' | 'stamps'> {
  if (typeof stamps !== 'object' || stamps === null || Array.isArray(stamps)) return {}
  const listed = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : null
  return { stamps: { ...stamps }, ...(listed ? { stampedHeaders: listed } : {}) }
}

type Arguments = Pick<ExtendedResult, 'args' | 'kwargs'>

/** Mirrors Celery's context of a step that never ran. */
function unrunFields({ args, kwargs, task }: NonNullable<Unrun['call']>): ExtendedResult {
  return { name: task, args, kwargs, worker: null, retries: 0, queue: null }
}

function asTexts({ args, kwargs }: Arguments): Arguments {
  return {
    args: args.map((arg) => repr(arg)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, repr(value)])),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function waiterOf({ properties }: TaskMessage): ResultRequest {
  return { replyTo: properties.replyTo ?? null, correlationId: properties.correlationId ?? null }
}
