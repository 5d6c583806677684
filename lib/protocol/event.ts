import { CeleriacError, coerceError } from '../errors.js'
import { writeJson } from './content/json.js'
import { checkJson } from './content/jsonScan.js'
import { type ExceptionDict, encodeException } from './exception.js'
import { repr } from './repr.js'

/*
 * Event:   {hostname, utcoffset, pid, clock, ...fields, timestamp, type}        headers {hostname}
 * Batch:   [event, ...], only of type task-*, under the routing key task.multi
 */
export const EVENT_EXCHANGE = 'celeryev'
export const BATCH_ROUTING_KEY = 'task.multi'
/** Celery's limit; more events in one turn of the event loop are sent in several batches. */
export const LARGEST_BATCH = 24
/** Far above a batch: a few dozen events of a few dozen fields. */
const LIMITS = { maxNesting: 200 }

/** Events that are turned on and off together. */
export type EventGroup = 'worker' | 'task'
export type EventType = `${EventGroup}-${string}`
export type EventFields = Readonly<Record<string, unknown>>

/** An event as it is sent. The fields that every event has are typed; the others depend on its type. */
export interface WireEvent extends EventFields {
  readonly type: string
  /** Node name of the sender. */
  readonly hostname: string
  /** Whole hours west of UTC. */
  readonly utcoffset: number
  readonly pid: number
  /** The sender's Lamport clock. */
  readonly clock: number
  /** Unix time in seconds, with a fraction. */
  readonly timestamp: number
}

export function groupOf(type: EventType): EventGroup {
  return type.startsWith('task-') ? 'task' : 'worker'
}

/** Returns the routing key of an event: `worker-heartbeat` is sent under `worker.heartbeat`. */
export function routingKeyOf(type: string): string {
  return type.replaceAll('-', '.')
}

/** Returns Celery's `utcoffset`: whole hours west of UTC, rounded down, so -2 for UTC+2 and -6 for UTC+5:30. */
export function utcOffset(at: Date): number {
  // The sum turns -0 into 0.
  return Math.floor(at.getTimezoneOffset() / 60) + 0
}

/** Encodes one event, or the array of a batch. Its fields may have any value that a header can have. */
export function encodeEvent(event: WireEvent | readonly WireEvent[]): Buffer {
  return Buffer.from(writeJson(event))
}

/**
 * Decodes the events in a message, single or batched. Members that are not events are left out.
 * @throws CeleriacError if the content is not valid JSON
 */
export function decodeEvents(content: Buffer): WireEvent[] {
  let body: unknown
  try {
    checkJson(content, LIMITS)
    body = JSON.parse(content.toString())
  } catch (thrown) {
    throw new CeleriacError('CELERIAC_EVENT', `an event is not valid JSON: ${coerceError(thrown).message}`)
  }
  return [body].flat().filter(isEvent)
}

function isEvent(value: unknown): value is WireEvent {
  if (typeof value !== 'object' || value === null) return false
  const { hostname, type } = value as Partial<WireEvent>
  return typeof type === 'string' && typeof hostname === 'string'
}

/** Returns an exception as Python's `repr` shows it, under the name in its result: `ValueError('boom', 42)`. */
export function exceptionRepr(error: Error): string {
  const { exc_type, exc_message }: ExceptionDict = encodeException(error)
  return `${exc_type}(${exc_message.map((arg) => repr(arg)).join(', ')})`
}

/**
 * Returns Python's `isoformat()` of a UTC time: to the microsecond, which is left out if it is 0.
 * @param ms wall-clock milliseconds; null stays null
 */
export function isoFormat(ms: number): string
export function isoFormat(ms: number | null): string | null
export function isoFormat(ms: number | null): string | null {
  if (ms === null) return null
  const second = Math.floor(ms / 1000) * 1000
  // A double is more precise than that, but not a multiple of it.
  const microseconds = Math.round((ms - second) * 1000)
  const whole = new Date(second + (microseconds === 1_000_000 ? 1000 : 0))
  const fraction = microseconds % 1_000_000
  const text = whole.toISOString().slice(0, 19)
  return `${text}${fraction === 0 ? '' : `.${String(fraction).padStart(6, '0')}`}+00:00`
}
