import type { AmqpProperties, AmqpTable } from '../ports.js'
import { BadMessage } from './badMessage.js'
import { type ContentLimits, loads } from './content.js'
import type { Embed, Kwargs, SignatureDict, TaskMessage } from './message.js'
import { parseTime } from './time.js'

const NO_EMBED: Embed = { callbacks: null, errbacks: null, chain: null, chord: null }

/*
 * Protocol 2:  headers {task, id, retries, eta, expires, timelimit, root_id, parent_id, group, ...}; the header `task` is the mark
 *              body    [args, kwargs, {callbacks, errbacks, chain, chord}]
 */
/**
 * A task message, every field checked, whatever the broker handed over.
 * @throws BadMessage, and nothing else
 */
export function decode(properties: AmqpProperties, content: Buffer, limits: ContentLimits): TaskMessage {
  const headers = properties.headers ?? {}
  if (!('task' in headers)) throw unknownMessage(properties, content, limits)
  const task = requiredText(headers, 'task', 'invalid-header')
  const id = requiredText(headers, 'id', 'missing-id')
  const [args, kwargs, embed] = bodyOf(loads(content, properties, limits))
  return {
    id,
    task,
    shadow: text(headers, 'shadow'),
    args,
    kwargs,
    embed,
    retries: countOf(headers, 'retries'),
    eta: timeOf(headers, 'eta'),
    expires: timeOf(headers, 'expires'),
    timelimit: timelimitOf(headers.timelimit),
    rootId: text(headers, 'root_id') ?? id,
    parentId: text(headers, 'parent_id'),
    group: text(headers, 'group'),
    argsrepr: text(headers, 'argsrepr'),
    kwargsrepr: text(headers, 'kwargsrepr'),
    ignoreResult: typeof headers.ignore_result === 'boolean' ? headers.ignore_result : null,
    headers,
    properties,
  }
}

/** Without the header `task` it is no protocol 2 message; what the body says decides which complaint is made. */
function unknownMessage(properties: AmqpProperties, content: Buffer, limits: ContentLimits): BadMessage {
  try {
    loads(content, properties, limits)
  } catch (thrown) {
    // As Celery: what can't be read here at all is acknowledged, whatever the reason.
    if (thrown instanceof BadMessage && thrown.reason === 'refused-content') {
      return new BadMessage('undecodable', thrown.message, thrown)
    }
    if (thrown instanceof BadMessage) return thrown
    throw thrown
  }
  return new BadMessage('unknown-message', 'the message has no header `task`')
}

function bodyOf(body: unknown): [unknown[], Kwargs, Embed] {
  if (!Array.isArray(body) || body.length !== 3) {
    throw new BadMessage('invalid-body', 'the body must be a list of three: args, kwargs, embed')
  }
  const [args, kwargs, embed] = body as unknown[]
  if (!Array.isArray(args)) throw new BadMessage('invalid-body', 'task args must be a list')
  if (!isMapping(kwargs)) throw new BadMessage('invalid-body', 'Task keyword arguments must be a mapping')
  return [args, kwargs, embedOf(embed)]
}

function embedOf(embed: unknown): Embed {
  if (embed === null || embed === undefined) return NO_EMBED
  if (!isMapping(embed)) throw new BadMessage('invalid-body', 'the embed must be a mapping')
  const signatures = (name: string): SignatureDict[] | null => {
    const list = embed[name]
    if (list === null || list === undefined) return null
    if (!Array.isArray(list) || !list.every(isMapping))
      throw new BadMessage('invalid-body', `${name} must be a list of signatures`)
    return list
  }
  const chord = embed.chord ?? null
  if (chord !== null && !isMapping(chord)) throw new BadMessage('invalid-body', 'chord must be a signature')
  return { callbacks: signatures('callbacks'), errbacks: signatures('errbacks'), chain: signatures('chain'), chord }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function requiredText(headers: AmqpTable, name: string, reason: 'missing-id' | 'invalid-header'): string {
  const value = headers[name]
  if (typeof value !== 'string' || value === '')
    throw new BadMessage(reason, `the header \`${name}\` must be a non-empty string`)
  return value
}

function text(headers: AmqpTable, name: string): string | null {
  const value = headers[name] ?? null
  if (value !== null && typeof value !== 'string')
    throw new BadMessage('invalid-header', `the header \`${name}\` must be a string or null`)
  return value
}

function countOf(headers: AmqpTable, name: string): number {
  const value = headers[name] ?? 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new BadMessage('invalid-header', `the header \`${name}\` must be a whole number, 0 or more`)
  }
  return value
}

function timeOf(headers: AmqpTable, name: string): number | null {
  const value = headers[name] ?? null
  if (value === null) return null
  const time = typeof value === 'string' ? parseTime(value) : null
  if (time === null)
    throw new BadMessage('invalid-time', `invalid ${name} value ${JSON.stringify(value)}: an ISO 8601 time is wanted`)
  return time
}

function timelimitOf(value: unknown): readonly [number | null, number | null] {
  if (value === null || value === undefined) return [null, null]
  const isLimit = (limit: unknown): limit is number | null =>
    limit === null || (typeof limit === 'number' && limit >= 0)
  if (Array.isArray(value) && value.length === 2) {
    const [hard, soft] = value as unknown[]
    if (isLimit(hard) && isLimit(soft)) return [hard, soft]
  }
  throw new BadMessage(
    'invalid-header',
    'the header `timelimit` must be [hard, soft], each a number of seconds or null',
  )
}
