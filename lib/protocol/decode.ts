import type { AmqpProperties, AmqpTable } from './amqp.js'
import { BadMessage } from './badMessage.js'
import { type ContentLimits, loads } from './content/content.js'
import { checkHeaders } from './headerLimits.js'
import type { Embed, SignatureDict, TaskMessage } from './message.js'
import { repr } from './repr.js'
import { parseTime } from './time.js'

const NO_EMBED: Embed = { callbacks: null, errbacks: null, chain: null, chord: null }

const NO_LIMITS = [null, null] as const

/** Headers that a run can do without. */
const TEXTS = ['shadow', 'root_id', 'parent_id', 'group', 'argsrepr', 'kwargsrepr'] as const

/** Fields of a protocol 1 body that are headers in protocol 2. */
const V1_HEADERS =
  'lang task id root_id parent_id group meth shadow eta expires retries timelimit argsrepr kwargsrepr origin'.split(' ')

/*
 * Protocol 2:  headers {task, id, retries, eta, expires, timelimit, root_id, parent_id, group, ...}; the header `task` is the mark
 *              body    [args, kwargs, {callbacks, errbacks, chain, chord}]
 * Protocol 1:  headers {} or custom ones
 *              body    {task, id, args, kwargs, retries, eta, expires, utc, timelimit, taskset, callbacks, errbacks, chord, ...}
 */
/**
 * Decodes a task message and checks every field, whatever the broker delivered. A message of protocol 1 is returned as
 * if it had been sent in protocol 2, including `headers`; if it says `utc: false`, a time without an offset is local to
 * this process.
 * @throws BadMessage, and nothing else
 */
export function decode(properties: AmqpProperties, content: Buffer, limits: ContentLimits): TaskMessage {
  if (properties.unreadable) throw properties.unreadable
  const headers = properties.headers ?? {}
  checkHeaders(headers, limits)
  if (!isProtocol2(properties)) return decodeV1(properties, documentOf(properties, content, limits))
  // Everything that doesn't need the body is checked before the body costs anything.
  const fields = fieldsOf(headers, parseTime)
  return joined(fields, bodyOf(loads(content, properties, limits)), headers, properties)
}

/** Returns whether the message is of protocol 2: the header `task` is Celery's only test. */
export function isProtocol2(properties: AmqpProperties): boolean {
  return 'task' in (properties.headers ?? {})
}

function decodeV1(properties: AmqpProperties, body: unknown): TaskMessage {
  if (!isMapping(body) || !Object.hasOwn(body, 'task')) {
    throw new BadMessage(
      'unknown-message',
      'the message has no header `task`, and its body is not a task of protocol 1',
    )
  }
  const { args = [], kwargs = {}, callbacks, errbacks, chord, utc = true } = body
  const inBody = Object.fromEntries(V1_HEADERS.map((name) => [name, body[name] ?? null]))
  // Old name of a group, used as in Celery: only in a body without `args`.
  const group = Object.hasOwn(body, 'args') ? inBody.group : (body.taskset ?? inBody.group)
  const headers: AmqpTable = { ...inBody, group, ...properties.headers }
  const embed = { callbacks, errbacks, chord, chain: null }
  const fields = fieldsOf(headers, utc === false ? parseLocalTime : parseTime)
  // On the next try, a time without an offset in the headers is read as UTC.
  const times = { eta: isoOf(fields.eta), expires: isoOf(fields.expires) }
  return joined(fields, bodyOf([args, kwargs, embed]), { ...headers, ...times }, properties)
}

/** Sets each field by name: spreads of this size would take most of the decoding time. */
function joined(fields: Fields, body: Body, headers: AmqpTable, properties: AmqpProperties): TaskMessage {
  return {
    id: fields.id,
    task: fields.task,
    shadow: fields.shadow,
    retries: fields.retries,
    eta: fields.eta,
    expires: fields.expires,
    timelimit: fields.timelimit,
    rootId: fields.rootId,
    parentId: fields.parentId,
    group: fields.group,
    argsrepr: fields.argsrepr,
    kwargsrepr: fields.kwargsrepr,
    ignoreResult: fields.ignoreResult,
    args: body.args,
    kwargs: body.kwargs,
    embed: body.embed,
    headers,
    properties,
  }
}

/**
 * Decodes the body of a message that is not of protocol 2. If it can't be read at all it is acknowledged, as in Celery.
 */
function documentOf(properties: AmqpProperties, content: Buffer, limits: ContentLimits): unknown {
  try {
    return loads(content, properties, limits)
  } catch (thrown) {
    if (!(thrown instanceof BadMessage)) throw thrown
    if (thrown.reason === 'refused-content') throw new BadMessage('undecodable', thrown.message, thrown)
    if (thrown.reason === 'missing-content-type') throw new BadMessage('unknown-message', thrown.message, thrown)
    throw thrown
  }
}

type Body = Pick<TaskMessage, 'args' | 'kwargs' | 'embed'>
type Fields = Omit<TaskMessage, keyof Body | 'headers' | 'properties'>

function fieldsOf(headers: AmqpTable, readTime: (text: string) => number | null): Fields {
  const task = requiredText(headers, 'task', 'invalid-header')
  const id = requiredText(headers, 'id', 'missing-id')
  return {
    id,
    task,
    shadow: text(headers, 'shadow'),
    retries: countOf(headers, 'retries'),
    eta: timeOf(headers, 'eta', readTime),
    expires: timeOf(headers, 'expires', readTime),
    timelimit: timelimitOf(headers.timelimit),
    rootId: text(headers, 'root_id') ?? id,
    parentId: text(headers, 'parent_id'),
    group: text(headers, 'group'),
    argsrepr: text(headers, 'argsrepr'),
    kwargsrepr: text(headers, 'kwargsrepr'),
    ignoreResult: typeof headers.ignore_result === 'boolean' ? headers.ignore_result : null,
  }
}

function bodyOf(body: unknown): Body {
  if (!Array.isArray(body) || body.length !== 3) {
    throw new BadMessage('invalid-body', 'the body must be a list of three: args, kwargs, embed')
  }
  const [givenArgs, givenKwargs, embed] = body as unknown[]
  // Clients in other languages leave out empty ones.
  const args = givenArgs ?? []
  const kwargs = givenKwargs ?? {}
  // Python would pass the keys of an object as args.
  if (!Array.isArray(args)) throw new BadMessage('invalid-body', 'task args must be a list')
  if (!isMapping(kwargs)) throw new BadMessage('invalid-body', 'Task keyword arguments must be a mapping')
  return { args, kwargs, embed: embedOf(embed) }
}

function embedOf(embed: unknown): Embed {
  if (isAbsent(embed)) return NO_EMBED
  if (!isMapping(embed)) throw new BadMessage('invalid-body', 'the embed must be a mapping')
  if (isAbsent(embed.callbacks) && isAbsent(embed.errbacks) && isAbsent(embed.chain) && isAbsent(embed.chord))
    return NO_EMBED
  const signatures = (name: string): SignatureDict[] | null => {
    const list = embed[name]
    if (isAbsent(list)) return null
    if (!Array.isArray(list) || !list.every(isMapping))
      throw new BadMessage('invalid-body', `${name} must be a list of signatures`)
    return list
  }
  const chord = embed.chord ?? null
  if (chord !== null && !isMapping(chord)) throw new BadMessage('invalid-body', 'chord must be a signature')
  return { callbacks: signatures('callbacks'), errbacks: signatures('errbacks'), chain: signatures('chain'), chord }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/**
 * Returns whether the value is an object other than a list or a special value (bytes, dates, decimals) of a document.
 */
function isMapping(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function requiredText(headers: AmqpTable, name: string, reason: 'missing-id' | 'invalid-header'): string {
  const value = headers[name]
  if (typeof value !== 'string' || value === '')
    throw new BadMessage(reason, `the header \`${name}\` must be a non-empty string`)
  return value
}

/** Null for a header that is not text: nothing here can use it, and no run needs it. */
function text(headers: AmqpTable, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

/**
 * Returns the headers that no run needs and that have another type than expected: they count as absent here, and are
 * passed on unchanged.
 */
export function oddHeaders(headers: AmqpTable): readonly string[] {
  const odd = TEXTS.filter((name) => !isAbsent(headers[name]) && typeof headers[name] !== 'string')
  return isAbsent(headers.ignore_result) || typeof headers.ignore_result === 'boolean' ? odd : [...odd, 'ignore_result']
}

function countOf(headers: AmqpTable, name: string): number {
  const value = headers[name] ?? 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new BadMessage('invalid-header', `the header \`${name}\` must be a whole number, 0 or more`)
  }
  return value
}

function timeOf(headers: AmqpTable, name: string, read: (text: string) => number | null): number | null {
  const value = headers[name] ?? null
  if (value === null) return null
  const time = typeof value === 'string' ? read(value) : null
  if (time === null)
    throw new BadMessage('invalid-time', `invalid ${name} value ${repr(value, 100)}: expected an ISO 8601 time`)
  return time
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}

/** Parses a time like `parseTime`, but one without an offset is in the time zone of this process. */
function parseLocalTime(text: string): number | null {
  const time = parseTime(text)
  if (time === null || hasOffset(text)) return time
  const shown = new Date(time)
  const [year, month, day] = [shown.getUTCFullYear(), shown.getUTCMonth(), shown.getUTCDate()]
  return new Date(
    year,
    month,
    day,
    shown.getUTCHours(),
    shown.getUTCMinutes(),
    shown.getUTCSeconds(),
    shown.getUTCMilliseconds(),
  ).getTime()
}

function hasOffset(text: string): boolean {
  return /(?:Z|[+-][\d:]+)$/i.test(text.slice(10))
}

function timelimitOf(value: unknown): readonly [number | null, number | null] {
  if (isAbsent(value)) return NO_LIMITS
  const isLimit = (limit: unknown): limit is number | null =>
    limit === null || (typeof limit === 'number' && limit >= 0)
  if (Array.isArray(value) && value.length === 2) {
    const [hard, soft] = value as unknown[]
    if (hard === null && soft === null) return NO_LIMITS
    if (isLimit(hard) && isLimit(soft)) return [hard, soft]
  }
  throw new BadMessage(
    'invalid-header',
    'the header `timelimit` must be [hard, soft], each a number of seconds or null',
  )
}
