import { types } from 'node:util'
import { coerceError } from '../../errors.js'

/**
 * Values nested deeper than this are not written: a circular one would never end, and Python's own readers fail near
 * this depth.
 */
const DEEPEST = 1000
/** Steps of a place's path that are shown. */
const MOST_STEPS = 32

/**
 * How a serializer writes values other than text, booleans, lists and mappings. Each function may throw a TypeError
 * that says why it can't.
 */
export interface WritingRules {
  number(value: number): unknown
  bigint(value: bigint): unknown
  /**
   * Undefined for an ordinary object, whose own properties are then written.
   * @param depth number of lists and mappings around it
   */
  object(value: object, depth: number): unknown
}

/**
 * Returns a copy of a value that contains only what a serializer can write. As in `JSON.stringify`, `toJSON` is called,
 * and undefined, functions and symbols are null in lists and left out of objects.
 * @throws TypeError that names the place, counted from the root `$`, of a value that can't be written without loss
 */
export function toPlain(value: unknown, rules: WritingRules): unknown {
  const plainer = new Plainer(rules)
  try {
    return plainer.copy(value) ?? null
  } catch (thrown) {
    throw new TypeError(`${coerceError(thrown).message}, at ${plainer.place()}`, { cause: thrown })
  }
}

/** Returns whether a value needs no copy: JSON.stringify writes it as it is, without loss. */
export function isOrdinary(value: unknown): boolean {
  try {
    return isOrdinaryWithin(value, DEEPEST)
  } catch {
    // A getter has thrown. The copy says where.
    return false
  }
}

function isOrdinaryWithin(value: unknown, levels: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint'
  if (levels === 0 || 'toJSON' in value) return false
  if (Array.isArray(value)) return value.every((item) => isOrdinaryWithin(item, levels - 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key of Object.keys(value)) {
    if (!isOrdinaryWithin((value as Record<string, unknown>)[key], levels - 1)) return false
  }
  return true
}

/** Sets an own property, even `__proto__`, which an assignment would take as the prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else target[key] = value
}

class Plainer {
  private readonly path: (string | number)[] = []

  constructor(private readonly rules: WritingRules) {}

  copy(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return this.rules.number(value)
      case 'bigint':
        return this.rules.bigint(value)
      case 'object':
        return value === null ? null : this.object(value)
      default:
        return undefined
    }
  }

  private object(value: object): unknown {
    if (this.path.length > DEEPEST) throw new TypeError(`nested deeper than ${DEEPEST} levels, or circular`)
    if (Array.isArray(value)) return value.map((item, at) => this.inside(at, item) ?? null)
    const special = this.rules.object(value, this.path.length)
    if (special !== undefined) return special
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return this.copy(value.toJSON(String(this.path.at(-1) ?? '')))
    if (types.isBoxedPrimitive(value)) return this.copy(value.valueOf())
    if (types.isMap(value)) throw new TypeError("a Map can't be written")
    if (types.isSet(value)) throw new TypeError("a Set can't be written")
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      const plain = this.inside(key, (value as Record<string, unknown>)[key])
      if (plain !== undefined) setOwn(copy, key, plain)
    }
    return copy
  }

  private inside(key: string | number, item: unknown): unknown {
    this.path.push(key)
    const plain = this.copy(item)
    this.path.pop()
    return plain
  }

  /** Returns the current place of `copy`, which is where it failed if it did. */
  place(): string {
    const steps = this.path.length > MOST_STEPS ? this.path.slice(0, MOST_STEPS) : this.path
    const shown = steps.map((key) =>
      typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    )
    return `$${shown.join('')}${steps === this.path ? '' : '...'}`
  }
}
