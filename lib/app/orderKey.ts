import type { Kwargs } from '../protocol/message.js'
import { globToRegExp } from '../settings/glob.js'

/** What a key is computed from. */
export interface OrderSource {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  readonly headers: Readonly<Record<string, unknown>>
}

/** Where an order key comes from: a path, several joined by a comma, or a function that returns the key or its parts. */
export type OrderBy = string | ((source: OrderSource) => string | readonly string[] | undefined)

/** The order key of a message; undefined for none. */
export type KeyOf = (source: OrderSource) => string | undefined

const ROOTS: ReadonlySet<string> = new Set(['args', 'kwargs', 'headers', 'task'])
/** The message header that a producer may give the key in. */
const KEY_HEADER = 'order_key'

/**
 * The key of a message: from its task's option, else from the setting `task_order_by`, else from the header `order_key`.
 * @param setting pattern of task names -> path
 * @returns a function that throws what the user's own function throws
 * @throws TypeError when a path of the setting is wrong
 */
export function keyFunction(
  setting: Readonly<Record<string, string>> | null,
): (task: { readonly keyOf: KeyOf | null }, source: OrderSource) => string | null {
  const fromSetting = setting === null ? undefined : compileTaskOrderBy(setting)
  const fromHeader: KeyOf = ({ headers }) => {
    const key = headers[KEY_HEADER]
    return typeof key === 'string' ? keyFrom([key]) : undefined
  }
  return (task, source) => task.keyOf?.(source) ?? fromSetting?.(source) ?? fromHeader(source) ?? null
}

/**
 * Makes a function of an `orderBy`. Several parts become one key that no other parts have: `['a', 'b']` is `a,b`, `'a,b'` is `a\,b`.
 * A message in which a part is missing, null, or no string, finite number or boolean has no key. `1` and `'1'` are the same key,
 * since the same build is a number in one message and a text in the next.
 * @throws TypeError when a path is wrong
 */
export function compileOrderBy(orderBy: OrderBy): KeyOf {
  if (typeof orderBy === 'function') {
    return (source) => {
      const key = orderBy(source)
      return keyFrom(Array.isArray(key) ? key : [key])
    }
  }
  const paths = orderBy.split(',').map(parsePath)
  return (source) => keyFrom(paths.map((path) => valueAt(source, path)))
}

/**
 * Makes a function of the setting `task_order_by`. The first pattern that matches the task's name decides, even if its path
 * leads nowhere in this message. `*` stands for any characters, `?` for one.
 * @throws TypeError when a path is wrong
 */
export function compileTaskOrderBy(setting: Readonly<Record<string, string>>): KeyOf {
  const rules = Object.entries(setting).map(([pattern, path]) => ({
    pattern: globToRegExp(pattern),
    keyOf: compileOrderBy(path),
  }))
  // Asked for registered tasks only, so it doesn't grow with what is sent to the queue.
  const byTask = new Map<string, KeyOf>()
  const none: KeyOf = () => undefined
  return (source) => {
    let keyOf = byTask.get(source.task)
    if (!keyOf) {
      keyOf = rules.find(({ pattern }) => pattern.test(source.task))?.keyOf ?? none
      byTask.set(source.task, keyOf)
    }
    return keyOf(source)
  }
}

function parsePath(text: string): readonly string[] {
  const path = text.trim().split('.')
  if (path.includes('') || !ROOTS.has(path[0] ?? '') || (path[0] === 'task') !== (path.length === 1)) {
    throw new TypeError(
      `orderBy: ${JSON.stringify(text)} is no path: write one such as kwargs.event.build_id, args.0, headers.key or task`,
    )
  }
  return path
}

function valueAt(source: OrderSource, path: readonly string[]): unknown {
  let value: unknown = source
  for (const step of path) {
    // Own properties only: what an object inherits was in no message.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

function keyFrom(parts: readonly unknown[]): string | undefined {
  if (parts.length === 0) return undefined
  const texts: string[] = []
  for (const part of parts) {
    if (typeof part !== 'string' && typeof part !== 'boolean' && !Number.isFinite(part)) return undefined
    texts.push(String(part).replace(/[\\,]/g, '\\$&'))
  }
  return texts.join(',')
}
