import { KEY_HEADER } from '../canvas/merge.js'
import type { Kwargs } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import { matchesGlob } from '../settings/glob.js'

/** The parts of a message that a key is computed from. */
export interface OrderSource {
  /** The name of the task. */
  readonly task: string
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments. */
  readonly kwargs: Kwargs
  /** The message's headers. */
  readonly headers: Readonly<Record<string, unknown>>
}

/**
 * One part of a key. `1` and `'1'` are the same part, since the same build may be a number in one message and a text in
 * the next.
 */
export type OrderPart = string | number | bigint | boolean

/** The return value of an `orderBy` function: a key, the parts of a nested key, or null or undefined for no order. */
export type OrderKey = OrderPart | readonly (OrderPart | null | undefined)[] | null | undefined

/**
 * The source of an order key: a path into the message, or a function.
 *
 * Keys may nest: a message with the key `['9800142']` waits for, and holds back, all whose keys begin with `9800142`,
 * while `['9800142', 'fedora-42']` and `['9800142', 'fedora-43']` run side by side. In a path a slash separates the
 * parts (`kwargs.build/kwargs.chroot`); a comma makes one part of several values
 * (`kwargs.owner,kwargs.project/kwargs.build`).
 */
export type OrderBy = string | ((source: OrderSource) => OrderKey)

/** A key that a sender gives: one part, or the parts of a nested key. */
export type SentKey = string | number | readonly (string | number)[]

/** The order key of a message, as text; undefined for none. */
export type KeyOf = (source: OrderSource) => string | undefined

const ROOTS: ReadonlySet<string> = new Set(['args', 'kwargs', 'headers', 'task'])
const NONE: readonly string[] = []

/**
 * The key of a message: from its task's option, else from the setting `task_order_by`, else from the header
 * `order_key`.
 * @param setting pattern of task names -> path
 * @returns a function that throws what the user's own function throws, and a TypeError for a value that is not a key
 * @throws TypeError when a path of the setting is wrong
 */
export function keyFunction(
  setting: Readonly<Record<string, string>> | null,
): (task: { readonly keyOf: KeyOf | null }, source: OrderSource) => string | null {
  const fromSetting = setting === null ? undefined : compileTaskOrderBy(setting)
  return (task, source) => task.keyOf?.(source) ?? fromSetting?.(source) ?? fromHeader(source.headers) ?? null
}

/** Adds a key to the headers of a message that is to be sent. */
export function headersWithKey(
  headers: Readonly<Record<string, unknown>>,
  key: SentKey | undefined,
): Readonly<Record<string, unknown>> {
  return key === undefined ? headers : { ...headers, [KEY_HEADER]: key }
}

/** Whether a message carries its order key in a header. */
export function hasKeyHeader(headers: Readonly<Record<string, unknown>> | undefined): boolean {
  return headers?.[KEY_HEADER] !== undefined && headers[KEY_HEADER] !== null
}

/**
 * Makes a function of an `orderBy`. The text of a key is that of its parts, joined by slashes; slashes, commas and
 * backslashes within a value are escaped by a backslash, so that different keys never have the same text. If a path
 * leads to nothing, to null, or to a value that is not a string, finite number or boolean, the key ends before that
 * part: a message of a build without a chroot belongs to the whole build. Without a first part there is no key.
 * @returns a function that throws what `orderBy` throws, and a TypeError if that returns something that is not a key
 * @throws TypeError when a path is wrong
 */
export function compileOrderBy(orderBy: OrderBy): KeyOf {
  if (typeof orderBy === 'function') return (source) => keyFrom(orderBy(source), 'orderBy returned')
  const levels = orderBy.split('/').map((level) => level.split(',').map(parsePath))
  return (source) => {
    let key: string | undefined
    for (const paths of levels) {
      const part = partAt(source, paths)
      if (part === undefined) break
      key = key === undefined ? part : `${key}/${part}`
    }
    return key
  }
}

/**
 * Makes a function of the setting `task_order_by`. The first pattern that matches the task's name decides, even if its path
 * leads nowhere in this message. `*` stands for any characters, `?` for one.
 * @throws TypeError when a path is wrong
 */
export function compileTaskOrderBy(setting: Readonly<Record<string, string>>): KeyOf {
  const rules = Object.entries(setting).map(([pattern, path]) => ({
    pattern,
    keyOf: compileOrderBy(path),
  }))
  // Called for registered tasks only, so the map doesn't grow with what is sent to the queue.
  const byTask = new Map<string, KeyOf>()
  const none: KeyOf = () => undefined
  return (source) => {
    let keyOf = byTask.get(source.task)
    if (!keyOf) {
      keyOf = rules.find(({ pattern }) => matchesGlob(source.task, pattern))?.keyOf ?? none
      byTask.set(source.task, keyOf)
    }
    return keyOf(source)
  }
}

/** The keys that contain this one, shortest first: `a` and `a/b` for `a/b/c`, none for a key of one part. */
export function containersOf(key: string): readonly string[] {
  if (!key.includes('/')) return NONE
  const found: string[] = []
  for (let at = 0; at < key.length; at++) {
    if (key[at] === '\\') at++
    else if (key[at] === '/') found.push(key.slice(0, at))
  }
  return found
}

/**
 * Returns the first part of a key: a key waits for all that contain it, so that no keys with different first parts wait
 * for each other.
 */
export function rootOf(key: string): string {
  for (let at = 0; at < key.length; at++) {
    if (key[at] === '\\') at++
    else if (key[at] === '/') return key.slice(0, at)
  }
  return key
}

function parsePath(text: string): readonly string[] {
  const path = text.trim().split('.')
  if (path.includes('') || !ROOTS.has(path[0] ?? '') || (path[0] === 'task') !== (path.length === 1)) {
    throw new TypeError(
      `orderBy: ${JSON.stringify(text)} is not a path; write one such as kwargs.event.build_id, args.0, headers.key or task`,
    )
  }
  return path
}

function valueAt(source: OrderSource, path: readonly string[]): unknown {
  let value: unknown = source
  for (const step of path) {
    // Own properties only: inherited ones were in no message.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

/** One part of a key, from the values at all of the paths; undefined if one of them is missing. */
function partAt(source: OrderSource, paths: readonly (readonly string[])[]): string | undefined {
  let part: string | undefined
  for (const path of paths) {
    const value = valueAt(source, path)
    if (!isPart(value)) return undefined
    part = part === undefined ? textOf(value) : `${part},${textOf(value)}`
  }
  return part
}

function fromHeader(headers: OrderSource['headers']): string | undefined {
  return hasKeyHeader(headers) ? keyFrom(headers[KEY_HEADER], `the header ${KEY_HEADER} is`) : undefined
}

/** @throws TypeError for a value that is neither a key nor empty */
function keyFrom(given: unknown, saying: string): string | undefined {
  const parts: readonly unknown[] = Array.isArray(given) ? given : [given]
  let key: string | undefined
  for (const part of parts) {
    if (part === undefined || part === null) break
    if (!isPart(part)) {
      throw new TypeError(
        `${saying} ${repr(given)}, which is not a valid key; expected a string, a number, or a list of these`,
      )
    }
    key = key === undefined ? textOf(part) : `${key}/${textOf(part)}`
  }
  return key
}

function isPart(value: unknown): value is OrderPart {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value)
}

function textOf(part: OrderPart): string {
  return String(part).replace(/[\\,/]/g, '\\$&')
}
