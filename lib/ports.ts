import type { IncomingMessage, OutgoingMessage } from './protocol/amqp.js'
import type { BodyCopy } from './protocol/bodyCopy.js'
import type { ChordMember } from './protocol/chordMember.js'
import type { ResultMeta, ResultTuple } from './protocol/result.js'

/*
 * Where things plug in. The rooms between `protocol/` and `worker.ts` see brokers, clocks and executors only through these.
 */

/** A timer that was set on a `Clock`. */
export interface Timer {
  /** Cancels the timer; does nothing once it has fired. */
  cancel(): void
}

/** Time, so that specs can drive it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go backwards; only differences are meaningful. */
  monotonic(): number
  /** Calls `fn` once, `delayMs` milliseconds from now; any delay is allowed. */
  setTimer(fn: () => void, delayMs: number): Timer
}

/** One message that the broker delivered to us, to be settled exactly once. */
export interface Delivery extends IncomingMessage {
  /** The position in the order of arrival over the worker's life: smaller came first. */
  readonly sequence: number
  /** AMQP's deliveryTag, counted per channel. */
  readonly deliveryTag: number
  /** The tag of the consumer that received the message. */
  readonly consumerTag: string
  /** Whether the broker has delivered the message before. */
  readonly redelivered: boolean
  /**
   * Whether the queue is known to be a quorum queue, which counts in the headers how often the message was returned.
   */
  readonly isCounted: boolean
  /** False once its channel is gone: the broker has the message again, and settling it here is a logged no-op. */
  readonly live: boolean
  /** Whether the message was acknowledged, rejected or given back. */
  readonly settled: boolean
  /**
   * While the settlement waits to be written, such as for the cancellation of its consumer: resolves once it is. Null
   * otherwise. Never rejects.
   */
  readonly writing: Promise<void> | null
  /** basic.ack: the message is done. */
  ack(): void
  /** basic.reject(requeue=false): the message is dropped, or dead-lettered where the queue says so. */
  reject(): void
  /**
   * basic.nack(requeue=true): the message goes back to its queue. Never a reject: from RabbitMQ 4.3 on, quorum queues don't count a nack
   * against their delivery limit.
   */
  giveBack(): void
  /** Called when the message waits for long: releases the larger piece of memory that its content is a part of. */
  detach?(): void
}

/**
 * Decides whether a message is sent again after a try that failed because of the connection, or because a queue is
 * full.
 */
export interface PublishTries {
  /**
   * Resolves when the next try is due.
   * @param error the error of the last try
   * @param stopped ends the wait at once
   * @throws BrokerError when there is no further try
   */
  next(error: Error, stopped: AbortSignal): Promise<void>
}

/** Sends messages. */
export interface Publisher {
  /**
   * Resolves once the broker has confirmed the message. After a lost connection the message is sent again, so that it
   * may arrive twice.
   * @param tries asked before each further try; without it, the message is tried until the broker has it
   * @throws BrokerError when `signal` is aborted first, `tries` ends it, or the broker refuses the message for good
   */
  publish(message: OutgoingMessage, signal?: AbortSignal, tries?: PublishTries): Promise<void>
}

/** Where a result is expected, for backends that send it there. */
export interface ResultRequest {
  /** The reply queue; null for none. */
  readonly replyTo: string | null
  /** The correlation id of the reply; null for the id of the task. */
  readonly correlationId: string | null
}

/**
 * Stores the states and results of tasks. `testBackend` of `celeriac/conformance` defines what an implementation has to
 * do.
 */
export interface Backend {
  /** The backend's URL without secrets, as the banner shows it. */
  readonly name: string
  /** Whether nothing is stored, so that nobody needs to wait for it. */
  readonly storesNothing: boolean
  /** Starts the backend. Also returns while the store can't be reached: it keeps trying. */
  start(): Promise<void>
  /** Waits for calls under way. Idempotent, and allowed before `start`. */
  stop(): Promise<void>
  /** Whether a store can be expected to succeed at present; readiness follows it. */
  healthy(): boolean
  /**
   * Resolves once the state is stored, and never before. A task that has succeeded keeps that state: storing another is a no-op.
   * @throws CeleriacError; its `retriable` says whether the same call may succeed later. EncodeError for a value that can't be written
   */
  store(meta: ResultMeta, request: ResultRequest): Promise<void>
  /**
   * Stores the state of a task that this worker doesn't run: a no-op once the task's state is final. It is tried once.
   * Absent if the store can't be written without the task's message.
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
   * Removes what is stored for a task.
   * @throws CeleriacError
   */
  forget(id: string): Promise<void>
  /** Reads that wait while the store is away, instead of failing. Added by the worker; a store leaves it out. */
  readonly patient?: Pick<Backend, 'get' | 'subscribe'>
  /** Counts the members of chords. Absent where the store can't count. */
  readonly chords?: ChordStore
  /** Stores groups. Absent where the store can't. */
  readonly groups?: GroupStore
}

/** A member of a chord's header that has ended. */
export interface ChordPart extends ChordMember {
  /** The id of the header's group. */
  readonly groupId: string
  /** The member's position in the header; null for none, which comes last. */
  readonly groupIndex: number | null
  /** Whether the member may have been counted before: its message, or this call, is repeated. */
  readonly isRepeated: boolean
}

/**
 * Counts the members of chords, together with the other workers on the same store. Celery's `on_chord_part_return`
 * without the handling of results. Calls that may be repeated without harm say so.
 */
export interface ChordStore {
  /**
   * Sets how many members complete the chord: `set_chord_size`, before the last of them is sent. May be repeated.
   * @throws CeleriacError
   */
  setSize(groupId: string, size: number): Promise<void>
  /**
   * Adds members to the chord: `add_to_chord`, before they are sent. If repeated, it counts twice.
   * @param by how many; 1 unless given, and less than 0 for members that are not sent after all
   * @throws CeleriacError; the members must not be sent then
   */
  grow(groupId: string, by?: number): Promise<void>
  /**
   * Stores the end of a member. A repeated member counts once: a stored success stays, and anything else is replaced.
   * @returns a name for this completion, of up to 36 letters, digits and hyphens, if the chord is complete now and the
   *   caller has to complete it; else null. No other caller gets a name, but a repetition of the same member gets the
   *   same one
   * @throws CeleriacError; EncodeError for a value that can't be written
   */
  addPart(part: ChordPart): Promise<string | null>
  /**
   * The members that have ended, in the order of the header.
   * @throws CeleriacError
   */
  members(groupId: string): Promise<readonly ChordMember[]>
  /**
   * Forgets the count and the members, once the body is sent. May be repeated.
   * @throws CeleriacError
   */
  close(groupId: string): Promise<void>
  /**
   * Called before a body runs that may have been sent twice. May be repeated.
   * @returns whether this copy is the one to run: true for the first of its completion that asks, and for no other of
   *   that
   * @throws CeleriacError
   */
  takeBody(body: BodyCopy): Promise<boolean>
}

/** Stores groups by their ids: Celery's `GroupResult.save`. */
export interface GroupStore {
  /** @throws CeleriacError */
  save(id: string, group: ResultTuple): Promise<void>
  /**
   * The stored group; null if there is none.
   * @throws CeleriacError
   */
  restore(id: string): Promise<ResultTuple | null>
  /**
   * Removes the stored group, but nothing of its members.
   * @throws CeleriacError
   */
  delete(id: string): Promise<void>
}

/** The log of every room. Arguments are only rendered if the level is on. */
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
  /** Whether a line of this level would be written: check before building a costly text. */
  isEnabled(level: LogLevel): boolean
}

/** Celery's levels, most talkative first. */
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL'] as const
/** A level of the log; FATAL is another word for CRITICAL. */
export type LogLevel = (typeof LOG_LEVELS)[number]
