import { type RequestInfo, TaskContext } from '../app/context.js'
import type { Middlewares } from '../app/middleware.js'
import type { Resources } from '../app/resources.js'
import type { Clock, Logger } from '../ports.js'
import type { SignatureDict } from '../protocol/message.js'
import type { Request } from '../request/request.js'
import { type Call, callTask } from './call.js'
import { customHeaders } from './customHeaders.js'
import type { Outcome } from './outcome.js'
import type { TryLimit } from './tryLimit.js'

/** What an app runs around its handlers. */
export interface Surroundings {
  readonly middleware: Pick<Middlewares, 'around'>
  readonly resources: Pick<Resources, 'values'>
}

export interface TraceOptions {
  readonly app: Surroundings
  readonly clock: Clock
  /** Node name. */
  readonly hostname: string
}

/** Functions of the worker that a run needs. */
export interface TraceHooks {
  /** The task's own log. */
  readonly log: Logger
  /** Called when the body is about to run. */
  onStart(): void
  /** Stores a state that the task itself reports. */
  updateState(state: string, meta: unknown): Promise<void>
}

/**
 * Runs a request's task in this process. Never throws: whatever happens becomes an outcome. Mirrors Celery's
 * `trace_task`.
 * @param limit what ends this one try; null without time limits. Its owner ends it together with the try
 */
export function trace(
  request: Request,
  hooks: TraceHooks,
  options: TraceOptions,
  limit: TryLimit | null = null,
): Outcome | Promise<Outcome> {
  if (request.isExpired(options.clock)) return { state: 'REVOKED', reason: 'expired' }
  request.startedAt = options.clock.monotonic()
  request.pid = process.pid
  hooks.onStart()
  return callTask(new Run(request, hooks, options, limit))
}

/** A class, created once per task, so that there is no closure for questions that most tasks never ask. */
class Run implements Call {
  constructor(
    readonly of: Request,
    private readonly hooks: TraceHooks,
    private readonly options: TraceOptions,
    private readonly limit: TryLimit | null,
  ) {}

  get worker(): string {
    return this.options.hostname
  }

  get around(): Middlewares['around'] {
    return this.options.app.middleware.around
  }

  request(): RequestInfo {
    return requestInfo(this.of, this.worker)
  }

  context(): TaskContext {
    const { hooks, limit, of, options } = this
    const signal = limit ? limit.signalFor(of) : of.signal
    const store = (state: string, meta: unknown): Promise<void> => hooks.updateState(state, meta)
    return new TaskContext(this.request(), signal, hooks.log, of.task, store, options.app.resources.values)
  }

  aborted(): { readonly reason: unknown } | null {
    if (this.of.aborted) return this.of.signal
    return this.limit?.aborted ? this.limit : null
  }

  isOver(): boolean {
    return this.of.isOver || (this.limit?.isOver ?? false)
  }

  monotonic(): number {
    return this.options.clock.monotonic()
  }
}

const NONE: readonly SignatureDict[] = []
const NO_STAMPS = Object.freeze({})

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns what a task sees of its request. */
export function requestInfo(
  request: Pick<Request, 'message' | 'delivery' | 'args' | 'kwargs' | 'retries'>,
  hostname: string,
): RequestInfo {
  const { message, delivery } = request
  const { embed, headers } = message
  return {
    id: message.id,
    task: message.task,
    args: request.args,
    kwargs: request.kwargs,
    retries: request.retries,
    rootId: message.rootId,
    parentId: message.parentId,
    group: message.group,
    groupIndex: typeof headers.group_index === 'number' ? headers.group_index : null,
    callbacks: embed.callbacks ?? NONE,
    errbacks: embed.errbacks ?? NONE,
    chain: embed.chain ?? NONE,
    chord: embed.chord,
    timelimit: message.timelimit,
    eta: message.eta === null ? null : new Date(message.eta),
    expires: message.expires === null ? null : new Date(message.expires),
    stamps: isTable(headers.stamps) ? headers.stamps : NO_STAMPS,
    replacedTaskNesting: typeof headers.replaced_task_nesting === 'number' ? headers.replaced_task_nesting : 0,
    correlationId: message.properties.correlationId ?? null,
    replyTo: message.properties.replyTo ?? null,
    hostname,
    get headers() {
      return customHeaders(message.headers)
    },
    get properties() {
      const { headers: _, ...properties } = message.properties
      return properties
    },
    deliveryInfo: {
      exchange: delivery.exchange,
      routingKey: delivery.routingKey,
      priority: message.properties.priority ?? 0,
      redelivered: delivery.redelivered,
    },
  }
}
