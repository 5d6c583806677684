import { CeleriacError, coerceError } from '../errors.js'
import type { OutgoingMessage } from './amqp.js'
import { checkJson } from './content/jsonScan.js'

/** Exchange to the mailboxes of all workers: a fanout. */
export const PIDBOX_EXCHANGE = 'celery.pidbox'
/** Exchange for replies: direct. */
export const PIDBOX_REPLY_EXCHANGE = 'reply.celery.pidbox'

/** A list of 50,000 ids to revoke is far within it. */
const LIMITS = { maxNesting: 200 }

/*
 * Request:  {method, arguments, destination: [nodename] | null, pattern, matcher: "glob" | "pcre" | null, ticket?,
 *            reply_to?: {exchange, routing_key}}                 headers {clock, expires}
 * Reply:    {<nodename>: value}                                  headers {ticket, clock}
 */
/** A remote control request. */
export interface ControlRequest {
  readonly method: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly destination: readonly string[] | null
  readonly pattern: string | null
  readonly matcher: string | null
  readonly ticket: string | null
  readonly replyTo: { readonly exchange: string; readonly routingKey: string } | null
}

/** A command to workers. */
export interface ControlCall {
  readonly method: string
  readonly arguments?: Readonly<Record<string, unknown>>
  /** Node names; by default all workers. */
  readonly destination?: readonly string[] | null
  /** Pattern for node names, which workers interpret as `matcher` says. */
  readonly pattern?: string | null
  readonly matcher?: 'glob' | 'pcre' | null
}

/**
 * Makes the message of a command, as Celery's `Mailbox` does.
 * @param expires seconds since the epoch after which workers ignore it; 0 for never
 */
export function encodeControl(
  call: ControlCall,
  { clock, expires = 0 }: { readonly clock: number; readonly expires?: number },
  reply: { readonly ticket?: string; readonly reply_to?: object } = {},
): Pick<OutgoingMessage, 'content' | 'properties'> {
  const body = {
    method: call.method,
    arguments: call.arguments ?? {},
    destination: call.destination ?? null,
    pattern: call.pattern ?? null,
    matcher: call.matcher ?? null,
    ...reply,
  }
  return {
    content: Buffer.from(JSON.stringify(body)),
    properties: {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      priority: 0,
      headers: { clock, expires },
    },
  }
}

/** @throws CeleriacError if the content is not such a request */
export function decodeControl(content: Buffer): ControlRequest {
  let body: unknown
  try {
    checkJson(content, LIMITS)
    body = JSON.parse(content.toString())
  } catch (thrown) {
    throw new CeleriacError('CELERIAC_CONTROL', `a control message is not valid JSON: ${coerceError(thrown).message}`)
  }
  const fields = mapping(body)
  if (typeof fields.method !== 'string') throw new CeleriacError('CELERIAC_CONTROL', 'a control message has no method')
  const reply = mapping(fields.reply_to)
  return {
    method: fields.method,
    arguments: mapping(fields.arguments),
    destination: Array.isArray(fields.destination) ? fields.destination.map(String) : null,
    pattern: textOf(fields.pattern),
    matcher: textOf(fields.matcher),
    ticket: textOf(fields.ticket),
    replyTo:
      typeof reply.exchange === 'string' && typeof reply.routing_key === 'string'
        ? { exchange: reply.exchange, routingKey: reply.routing_key }
        : null,
  }
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
