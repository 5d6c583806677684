import { type RequestInfo, TaskContext } from '../app/context.js'
import type { Middlewares } from '../app/middleware.js'
import type { Resources } from '../app/resources.js'
import type { Clock, Logger } from '../ports.js'
import type { SignatureDict } from '../protocol/message.js'
import type { Request } from '../request/request.js'
import { callTask } from './call.js'
import { customHeaders } from './customHeaders.js'
import type { Outcome } from './outcome.js'

/** What an app has around its handlers. */
export interface Surroundings {
  readonly middleware: Pick<Middlewares, 'around'>
  readonly resources: Pick<Resources, 'values'>
}

export interface TraceOptions {
  readonly app: Surroundings
  readonly clock: Clock
  readonly log: Logger
  /** Node name. */
  readonly hostname: string
  /** Told when the body is about to run. */
  onStart(): void
  /** Stores a state of the task's own. */
  updateState(state: string, meta: unknown): Promise<void>
  /** Aborted at a time limit of this one try; the request's own signal is that of all its tries. */
  readonly limit?: AbortSignal
}

/** Runs a request's task in this process. Never throws: whatever happens is an outcome. Mirrors Celery's `trace_task`. */
export function trace(request: Request, options: TraceOptions): Promise<Outcome> {
  const { app, clock, hostname, limit, log, onStart, updateState } = options
  if (request.isExpired(clock.now())) return Promise.resolve({ state: 'REVOKED', reason: 'expired' })
  request.startedAt = clock.monotonic()
  request.pid = process.pid
  onStart()
  const { args, children, kwargs, message, retries, task } = request
  const signal = (): AbortSignal => (limit ? AbortSignal.any([request.signal, limit]) : request.signal)
  return callTask({
    task,
    id: message.id,
    rootId: message.rootId,
    worker: hostname,
    args,
    kwargs,
    retries,
    children,
    around: app.middleware.around,
    request: () => requestInfo(request, hostname),
    context: () =>
      new TaskContext(requestInfo(request, hostname), signal(), log, task, updateState, app.resources.values),
    aborted: () => (request.aborted ? request.signal : limit?.aborted ? limit : null),
    monotonic: () => clock.monotonic(),
  })
}

const NONE: readonly SignatureDict[] = []
const NO_STAMPS = Object.freeze({})

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a task sees of its request. */
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
