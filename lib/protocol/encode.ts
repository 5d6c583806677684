import { hostname } from 'node:os'
import type { OutgoingMessage } from './amqp.js'
import { canCompress, compress } from './content/compression.js'
import { type Content, dumps } from './content/content.js'
import { isoFormat } from './event.js'
import type { Embed, Kwargs } from './message.js'
import { repr, reprArgs } from './repr.js'

/** Name of this process as a sender of tasks: Celery's `anon_nodename`. */
export const ORIGIN = `gen${process.pid}@${hostname()}`
/** What Python and ISO 8601 with four digits can express, in wall-clock milliseconds. */
const FIRST_TIME = Date.parse('0001-01-01T00:00:00Z')
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
/** Embed of a message without further tasks. */
export const NO_EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }

export interface TaskToSend {
  readonly id: string
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  readonly route: {
    readonly exchange: string
    readonly routingKey: string
    readonly priority: number
    /** Default: JSON. */
    readonly serializer?: string
    /** Default: uncompressed. */
    readonly compression?: string | null
  }
  readonly eta: Date | null
  readonly expires: Date | null
  readonly rootId: string
  readonly parentId: string | null
  readonly replyTo: string
  /** Custom headers; Celery's own take precedence. */
  readonly headers: Readonly<Record<string, unknown>>
  /** True to drop the result. Default: false. */
  readonly ignoreResult?: boolean
  /** Fields of a canvas, and rarely used ones. */
  readonly canvas?: Partial<CanvasFields>
}

/** Fields of a message besides its arguments that only members of a canvas have, or that few options set. */
export interface CanvasFields {
  readonly embed: Embed
  readonly groupId: string | null
  readonly groupIndex: number | null
  readonly shadow: string | null
  readonly retries: number
  /** Seconds, hard limit first; null to leave it to the worker. */
  readonly timelimit: readonly [hard: number | null, soft: number | null]
  readonly replacedTaskNesting: number
  readonly stampedHeaders: readonly string[] | null
  readonly stamps: Readonly<Record<string, unknown>>
}

/**
 * The longest time to live that RabbitMQ accepts; it refuses longer ones. Receivers check the header `expires` anyway.
 */
const LONGEST_TTL_MS = 3650 * 86_400_000

/**
 * Returns AMQP's per-message TTL for the rest of a message's life: decimal milliseconds, never negative; undefined
 * beyond ten years.
 */
export function expirationOf(expires: Date | number | null, now = Date.now()): string | undefined {
  if (expires === null) return undefined
  const left = Math.max(0, Math.round(Number(expires) - now))
  return left > LONGEST_TTL_MS ? undefined : String(left)
}

/*
 * Protocol 2:  headers {lang, task, id, shadow, eta, expires, group, group_index, retries, timelimit, root_id, parent_id,
 *                       argsrepr, kwargsrepr, origin, ignore_result, replaced_task_nesting, stamped_headers, stamps}
 *              body    [args, kwargs, {callbacks, errbacks, chain, chord}]
 */
/**
 * Makes the message that runs a task.
 * @throws TypeError that names the place, if the serializer can't express an argument (in JSON: NaN, a Map, a circular
 * reference); or for an unknown serializer or compression; or for a time that Python can't read
 */
export function encodeTask(task: TaskToSend): OutgoingMessage {
  const { exchange, priority, routingKey } = task.route
  const canvas = task.canvas ?? {}
  const { embed = NO_EMBED, stamps = {} } = canvas
  const body = encodeBody([task.args, task.kwargs, embed], task.route.serializer ?? 'json', task.route.compression)
  const headers: Record<string, unknown> = {
    ...task.headers,
    lang: 'js',
    task: task.task,
    id: task.id,
    shadow: canvas.shadow ?? null,
    eta: task.eta === null ? null : sentTime(task.eta.getTime()),
    expires: task.expires === null ? null : sentTime(task.expires.getTime()),
    group: canvas.groupId ?? null,
    group_index: canvas.groupIndex ?? null,
    retries: canvas.retries ?? 0,
    timelimit: canvas.timelimit ?? [null, null],
    root_id: task.rootId,
    parent_id: task.parentId,
    argsrepr: reprArgs(task.args),
    kwargsrepr: repr(task.kwargs),
    origin: ORIGIN,
    ignore_result: task.ignoreResult ?? false,
    replaced_task_nesting: canvas.replacedTaskNesting ?? 0,
    stamped_headers: canvas.stampedHeaders ?? null,
    stamps,
  }
  if (body.compression !== null) headers.compression = body.compression
  return {
    exchange,
    routingKey,
    content: body.content,
    mandatory: true,
    properties: {
      contentType: body.contentType,
      contentEncoding: body.contentEncoding,
      deliveryMode: 2,
      priority,
      correlationId: task.id,
      replyTo: task.replyTo,
      expiration: expirationOf(task.expires),
      headers,
    },
  }
}

/**
 * The text of a time for a header. Whoever gets a message with another one rejects it.
 * @throws TypeError for a time that has no year of four digits
 */
export function sentTime(ms: number): string {
  if (ms >= FIRST_TIME && ms <= LAST_TIME) return isoFormat(ms)
  const shown = Number.isNaN(ms) ? 'too far away' : `in the year ${new Date(ms).getUTCFullYear()}`
  throw new TypeError(
    `the time is ${shown}: expected one between the years 1 and 9999; countdown and expires are in seconds`,
  )
}

/**
 * Encodes a new body for a message, in its own serializer and compression.
 * @throws TypeError that names the place, if the body contains something that can't be expressed
 */
export function recode({ properties }: OutgoingMessage, body: unknown): Buffer {
  const compression = properties.headers?.compression
  return encodeBody(body, properties.contentType ?? 'json', canCompress(compression) ? compression : null).content
}

/** @throws TypeError */
function encodeBody(
  body: unknown,
  serializer: string,
  compression: string | null = null,
): Content & { readonly compression: string | null } {
  const encoded = dumps(body, serializer)
  if (compression === null) return { ...encoded, compression }
  const { content, type } = compress(compression, encoded.content)
  return { ...encoded, content, compression: type }
}
