import type { ReplyInlet, ReplyQueue } from '../broker/replyInlet.js'
import { coerceError } from '../errors.js'
import type { Backend, Logger, Publisher, ResultRequest } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { decodeResult, encodeReply, READY_STATES, type ResultMeta } from '../protocol/result.js'
import { BackendError } from './backendError.js'

export interface RpcBackendOptions {
  readonly publisher: Publisher
  readonly log: Logger
  /** Whether replies survive a restart of the broker. */
  readonly resultPersistent: boolean
  /** Seconds; null or 0 for forever. */
  readonly resultExpires: number | null
  /**
   * For a process that waits for results: the name of its reply queue, which its messages carry in `reply_to`. Not
   * needed in a worker.
   */
  readonly replies?: { readonly queue: string; readonly inlet: ReplyInlet }
  /** The most tasks whose last state is remembered for `get`, oldest dropped first. */
  readonly remembered?: number
}

const REMEMBERED = 10_000
/** Ten years: RabbitMQ refuses a queue with a longer time, and one with none. */
const LONGEST_EXPIRY_MS = 315_360_000_000

/**
 * Results as messages to the sender of the task, through the default exchange to the queue in `reply_to`: Celery's
 * `RPCBackend`. They can be read by that process only, and once; if the queue is gone, they are dropped.
 */
export class RpcBackend implements Backend {
  readonly name = 'rpc://'
  readonly storesNothing = false
  private readonly stopped = new AbortController()
  private readonly states = new Map<string, ResultMeta>()
  private readonly listeners = new Map<string, Set<(meta: ResultMeta) => void>>()
  private opening: Promise<() => Promise<void>> | null = null

  constructor(private readonly options: RpcBackendOptions) {}

  /** Opens the reply queue, if there is one: it must exist before the first task is sent. */
  async start(): Promise<void> {
    if (this.options.replies) await this.open()
  }

  async stop(): Promise<void> {
    this.stopped.abort(new BackendError('the backend was stopped'))
    const opening = this.opening
    this.opening = null
    // What could not be opened needs no closing, and whoever has asked for it was told.
    await opening?.then(
      (close) => close(),
      () => undefined,
    )
  }

  healthy(): boolean {
    return !this.stopped.signal.aborted
  }

  async store(meta: ResultMeta, { replyTo, correlationId }: ResultRequest): Promise<void> {
    const content = Buffer.from(encodeReply(meta))
    if (!replyTo) return
    const message: OutgoingMessage = {
      exchange: '',
      routingKey: replyTo,
      content,
      properties: {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        correlationId: correlationId || meta.taskId,
        deliveryMode: this.options.resultPersistent ? 2 : 1,
        priority: 0,
        headers: {},
      },
    }
    await this.options.publisher.publish(message, this.stopped.signal)
  }

  async get(id: string): Promise<ResultMeta | null> {
    await this.open()
    return this.states.get(id) ?? null
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    await this.open()
    const listeners = this.listeners.get(id) ?? new Set()
    const listener = (meta: ResultMeta): void => onMeta(meta)
    this.listeners.set(id, listeners.add(listener))
    return async () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.delete(id)
    }
  }

  /** Forgets the result here only: once delivered, it is kept nowhere else. */
  async forget(id: string): Promise<void> {
    this.states.delete(id)
  }

  private open(): Promise<() => Promise<void>> {
    const { replies, resultExpires } = this.options
    if (!replies || this.stopped.signal.aborted) {
      return Promise.reject(
        new BackendError('rpc:// results go to the process that sent the task, which is not this one', {
          retriable: false,
        }),
      )
    }
    const queue: ReplyQueue = {
      name: replies.queue,
      durable: true,
      autoDelete: true,
      arguments: expiring(resultExpires),
    }
    this.opening ??= replies.inlet
      .open(queue, (content) => this.heard(content))
      .catch((thrown) => {
        this.opening = null
        throw thrown
      })
    return this.opening
  }

  private heard(content: Buffer): void {
    try {
      const meta = decodeResult(content.toString())
      const known = this.states.get(meta.taskId)
      // A message may arrive twice, and an older state after the final one.
      if (known && READY_STATES.has(known.status) && !READY_STATES.has(meta.status)) return
      this.remember(meta)
      for (const listener of [...(this.listeners.get(meta.taskId) ?? [])]) listener(meta)
    } catch (thrown) {
      this.options.log.warning(`rpc://: ignored a reply that is not a result: ${coerceError(thrown).message}`)
    }
  }

  private remember(meta: ResultMeta): void {
    this.states.delete(meta.taskId)
    this.states.set(meta.taskId, meta)
    const [oldest] = this.states.keys()
    if (this.states.size > (this.options.remembered ?? REMEMBERED) && oldest !== undefined) this.states.delete(oldest)
  }
}

/** The arguments of a queue that is deleted when nobody has used it for so many seconds. */
function expiring(seconds: number | null): ReplyQueue['arguments'] {
  if (!seconds) return {}
  return { 'x-expires': Math.min(Math.max(1, Math.floor(seconds * 1000)), LONGEST_EXPIRY_MS) }
}
