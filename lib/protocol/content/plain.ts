import { types } from 'node:util'
import { coerceError } from '../../errors.js'

/** Deeper than this nothing is written: a value in a circle would never end, and Python's own readers give up near it. */
const DEEPEST = 1000
/** Of a place's path that are shown. */
const MOST_STEPS = 32

/** How one serializer writes what is more than text, booleans, lists and mappings. Each may throw a TypeError that says why not. */
export interface WritingRules {
  number(value: number): unknown
  bigint(value: bigint): unknown
  /** Undefined for an object that is not special: then its own properties are written. */
  object(value: object): unknown
}

/**
 * A copy of a value that holds only what a serializer can write. As `JSON.stringify` has it, `toJSON` is asked, and undefined,
 * functions and symbols are null in lists and left out of objects.
 * @throws TypeError that names the place, counted from the root `$`, of what can't be written without loss
 */
export function toPlain(value: unknown, rules: WritingRules): unknown {
  const plainer = new Plainer(rules)
  try {
    return plainer.copy(value) ?? null
  } catch (thrown) {
    throw new TypeError(`${coerceError(thrown).message}, at ${plainer.place()}`, { cause: thrown })
  }
}

/** Sets an own property, `__proto__` too, which an assignment would take for the prototype. */
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
    const special = this.rules.object(value)
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

  /** Where `copy` is, and so where it failed if it did. */
  place(): string {
    const steps = this.path.length > MOST_STEPS ? this.path.slice(0, MOST_STEPS) : this.path
    const shown = steps.map((key) =>
      typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    )
    return `$${shown.join('')}${steps === this.path ? '' : '...'}`
  }
}
