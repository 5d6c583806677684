import type { IncomingMessage, OutgoingMessage } from './protocol/amqp.js'
import type { ChordMember } from './protocol/chordMember.js'
import type { ResultMeta, ResultTuple } from './protocol/result.js'

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
  /** The message waits for long: what it holds of a larger piece of memory that came with others is to be let go. */
  detach?(): void
}

/** Whether a message is sent again after a try that came to nothing because of the connection, or of a queue that is full. */
export interface PublishTries {
  /**
   * Resolves when the next try is due.
   * @param error what became of the last try
   * @param stopped ends the wait at once
   * @throws BrokerError when there is to be none
   */
  next(error: Error, stopped: AbortSignal): Promise<void>
}

/** Sends messages. */
export interface Publisher {
  /**
   * Resolves once the broker has confirmed the message. Survives a lost connection by sending again, so that a message may arrive twice.
   * @param tries asked before each further try; without it, the message is tried until the broker has it
   * @throws BrokerError when `signal` is aborted first, `tries` ends it, or the broker refuses the message for good
   */
  publish(message: OutgoingMessage, signal?: AbortSignal, tries?: PublishTries): Promise<void>
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
  /** Counts the members of chords. Absent where the store can't count. */
  readonly chords?: ChordStore
  /** Keeps what groups are made of. Absent where there is no place for it. */
  readonly groups?: GroupStore
}

/** A member of a chord's header that has come to its end. */
export interface ChordPart extends ChordMember {
  /** The group that the header is. */
  readonly groupId: string
  /** Its place in the header; null for none, which comes last. */
  readonly groupIndex: number | null
  /** Whether it may have been counted before: its message, or this call, has come once more. */
  readonly isRepeated: boolean
}

/**
 * Counts the members of chords, together with the other workers on the same store. Celery's `on_chord_part_return` without what is
 * done with the results. All that can be done twice without harm is said to be so.
 */
export interface ChordStore {
  /**
   * Says how many members complete the chord: `set_chord_size`, before the last of them is sent. May be repeated.
   * @throws CeleriacError
   */
  setSize(groupId: string, size: number): Promise<void>
  /**
   * More members complete it: `add_to_chord`, before they are sent. Repeated, it counts twice.
   * @param by how many; 1 unless given, and less than 0 for some that are not sent after all
   * @throws CeleriacError; the members must not be sent then
   */
  grow(groupId: string, by?: number): Promise<void>
  /**
   * Keeps the end of a member. One that is repeated counts once: a success that was kept stays, and anything else is replaced.
   * @returns whether the chord is complete by it, and it is the caller's to complete it: nobody else is told so, but for a repetition
   *   of the same member
   * @throws CeleriacError; EncodeError for a value that can't be written
   */
  addPart(part: ChordPart): Promise<boolean>
  /**
   * The members that have come to their end, in the order of the header.
   * @throws CeleriacError
   */
  members(groupId: string): Promise<readonly ChordMember[]>
  /**
   * Forgets the count and the members, once the body is sent. May be repeated.
   * @throws CeleriacError
   */
  close(groupId: string): Promise<void>
}

/** Keeps what groups are made of, under their ids: Celery's `GroupResult.save`. */
export interface GroupStore {
  /** @throws CeleriacError */
  save(id: string, group: ResultTuple): Promise<void>
  /**
   * What was saved, null if nothing was.
   * @throws CeleriacError
   */
  restore(id: string): Promise<ResultTuple | null>
  /**
   * Removes what was saved, and nothing of the members.
   * @throws CeleriacError
   */
  delete(id: string): Promise<void>
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
