import { BodyCount, type BodyLimits } from './bodyLimits.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

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
