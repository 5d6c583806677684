import type { IncomingMessage, OutgoingMessage } from './protocol/amqp.js'
import type { ResultMeta } from './protocol/result.js'

/*
 * Where things plug in. The rooms between `protocol/` and `worker.ts` see brokers, clocks and executors only through these.
 */

/** A timer that was set on a `Clock`. */
export interface Timer {
  /** Does nothing once the timer has run. */
  cancel(): void
}

/** Time, so that specs can drive it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go back; only differences mean something. */
  monotonic(): number
  /** Calls `fn` once, `delayMs` milliseconds from now; any delay is allowed. */
  setTimer(fn: () => void, delayMs: number): Timer
}

/** One message that the broker handed to us, to be settled exactly once. */
export interface Delivery extends IncomingMessage {
  /** The place in the order of arrival over the worker's life: smaller came first. */
  readonly sequence: number
  /** AMQP's deliveryTag, counted per channel. */
  readonly deliveryTag: number
  /** Of the consumer that it came to. */
  readonly consumerTag: string
  /** Whether the broker has handed it out before. */
  readonly redelivered: boolean
  /** Whether its queue is known to be a quorum queue, which counts in the headers how often it had the message back. */
  readonly isCounted: boolean
  /** False once its channel is gone: the broker has the message again, and settling it here is a logged no-op. */
  readonly live: boolean
  /** Whether it was acknowledged, rejected or given back. */
  readonly settled: boolean
  /** While its settlement waits to be written, as for the cancellation of its consumer: resolves once it is. Null otherwise. Never rejects. */
  readonly writing: Promise<void> | null
  /** basic.ack: the message is done with. */
  ack(): void
  /** basic.reject(requeue=false): the message is dropped, or dead-lettered where the queue says so. */
  reject(): void
  /**
   * basic.nack(requeue=true): the message goes back to its queue. Never a reject: from RabbitMQ 4.3 on, quorum queues don't count a nack
   * against their delivery limit.
   */
  giveBack(): void
}

/** Sends messages. */
export interface Publisher {
  /**
   * Resolves once the broker has confirmed the message. Survives a lost connection by sending again, so that a message may arrive twice.
   * @throws BrokerError when `signal` is aborted first, or the broker refuses the message for good
   */
  publish(message: OutgoingMessage, signal?: AbortSignal): Promise<void>
}

/** Who waits for a result, for backends that send it there. */
export interface ResultRequest {
  /** The queue that replies go to; null for none. */
  readonly replyTo: string | null
  /** What the reply is recognised by; null for the id of the task. */
  readonly correlationId: string | null
}

/** Where the states and results of tasks are kept. `testBackend` of `celeriac/conformance` says what an implementation has to do. */
export interface Backend {
  /** Its URL without secrets, as the banner shows it. */
  readonly name: string
  /** True where there is no store, so that nobody needs to wait for one. */
  readonly storesNothing: boolean
  /** Returns also while the store can't be reached: it goes on trying. */
  start(): Promise<void>
  /** Waits for what is under way. Idempotent, and allowed before `start`. */
  stop(): Promise<void>
  /** Whether a store can be expected to succeed at present; readiness follows it. */
  healthy(): boolean
  /**
   * Resolves once the state is stored, and never before. A task that has succeeded keeps that state: storing another is a no-op.
   * @throws CeleriacError; its `retriable` says whether the same call may succeed later. EncodeError for a value that can't be written
   */
  store(meta: ResultMeta, request: ResultRequest): Promise<void>
  /**
   * The same for a task that nobody here has in hand: a no-op once its state is final. It is tried once. Absent where there is no
   * store that one could write to without the task's message.
   * @throws as `store`
   */
  storeUnlessReady?(meta: ResultMeta): Promise<void>
  /**
   * The last state of a task, null if none is known: Celery's PENDING.
   * @throws CeleriacError
   */
  get(id: string): Promise<ResultMeta | null>
  /**
   * Calls `onMeta` with each state of a task that is stored from now on, until the returned function is called. The last state
   * may come more than once. Subscribe before `get`, so that nothing falls between.
   * @throws CeleriacError
   */
  subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>>
  /**
   * Removes what is kept of a task.
   * @throws CeleriacError
   */
  forget(id: string): Promise<void>
}

/** What every room logs through. Arguments are only rendered if the level is on. */
export interface Logger {
  /** Writes a line at DEBUG. @param facts are written with `--log-format json` */
  debug(message: string, facts?: Record<string, unknown>): void
  /** Writes a line at INFO. @param facts are written with `--log-format json` */
  info(message: string, facts?: Record<string, unknown>): void
  /** Writes a line at WARNING. @param facts are written with `--log-format json` */
  warning(message: string, facts?: Record<string, unknown>): void
  /** Writes a line at ERROR. @param facts are written with `--log-format json`; the stack of a fact named `error` follows the line */
  error(message: string, facts?: Record<string, unknown>): void
  /** Writes a line at CRITICAL. @param facts are written with `--log-format json`; the stack of a fact named `error` follows the line */
  critical(message: string, facts?: Record<string, unknown>): void
  /** Whether a line of this level would be written: ask before building a costly text. */
  isEnabled(level: LogLevel): boolean
}

/** Celery's levels, most talkative first. */
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL'] as const
/** A level of the log; FATAL is another word for CRITICAL. */
export type LogLevel = (typeof LOG_LEVELS)[number]
