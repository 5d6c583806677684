import { BodyCount, type BodyLimits, MOST_ITEMS } from './bodyLimits.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * Returns whether a JSON text may have more items than allowed. Each has a byte at least, so that most texts need not be
 * looked at.
 */
export function mayExceed(json: Uint8Array, { maxItems = MOST_ITEMS }: BodyLimits): boolean {
  return json.length > maxItems
}

/**
 * Checks a parsed text against the limit of nesting. This costs a quarter of what `checkJson` does, and `JSON.parse`
 * takes any nesting.
 * @throws BadMessage
 */
export function checkNesting(value: unknown, limits: BodyLimits): void {
  if (isNested(value) && isDeeper(value, limits.maxNesting)) new BodyCount(limits).nest(limits.maxNesting + 1)
}

/**
 * Checks a JSON text against the limits: byte by byte, without parsing, so that it is safe on any input.
 * @throws BadMessage
 */
export function checkJson(json: Uint8Array, limits: BodyLimits): void {
  // A text nested n deep has at least n bytes, and so has one with n items: the smallest messages are never scanned.
  if (json.length <= limits.maxNesting) return
  const count = new BodyCount(limits)
  let depth = 0
  let deepest = 0
  let items = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) {
      for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
    } else if (byte === COLON) items++
    else if (byte === 0x5b || byte === 0x7b) {
      items++
      if (++depth > deepest) deepest = depth
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  count.nest(deepest)
  count.add(items)
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (isNested(item) && isDeeper(item, levels - 1)) return true
    return false
  }
  // What JSON.parse returns has no keys but its own, and no list of them is made here.
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (isNested(item) && isDeeper(item, levels - 1)) return true
  }
  return false
}
