/** Options for reading a pattern. */
export interface GlobOptions {
  /** True if `[a-z]` and `[!a-z]` match one character of a set, as in Python's `fnmatch`. */
  readonly sets?: boolean
}

/** One element of a pattern: where it ends, and which characters it matches. */
interface Piece {
  readonly end: number
  fits(char: string): boolean
}

/**
 * Returns whether a whole text matches a pattern: `*` matches any characters, `?` any single one, all others
 * themselves. Takes at most as many steps as the product of the two lengths: only the last star is ever retried.
 */
export function matchesGlob(text: string, pattern: string, { sets = false }: GlobOptions = {}): boolean {
  const chars = [...text]
  let at = 0
  let place = 0
  let afterStar = -1
  let resumeAt = 0
  while (at < chars.length) {
    if (pattern[place] === '*') {
      afterStar = ++place
      resumeAt = at
      continue
    }
    const piece = place < pattern.length ? pieceAt(pattern, place, sets) : null
    if (piece?.fits(chars[at] ?? '')) {
      place = piece.end
      at++
    } else {
      if (afterStar < 0) return false
      place = afterStar
      at = ++resumeAt
    }
  }
  while (pattern[place] === '*') place++
  return place === pattern.length
}

function pieceAt(pattern: string, place: number, sets: boolean): Piece {
  const char = String.fromCodePoint(pattern.codePointAt(place) ?? 0)
  if (char === '?') return { end: place + 1, fits: () => true }
  return (sets && char === '[' && setAt(pattern, place)) || { end: place + char.length, fits: (each) => each === char }
}

/** A leading `]` belongs to the set; a bracket that is never closed matches itself. */
function setAt(pattern: string, place: number): Piece | null {
  const negated = pattern[place + 1] === '!'
  const from = place + (negated ? 2 : 1)
  const close = pattern.indexOf(']', from + 1)
  if (close < 0) return null
  return { end: close + 1, fits: (char) => isInSet(char, [...pattern.slice(from, close)]) !== negated }
}

function isInSet(char: string, members: readonly string[]): boolean {
  for (let at = 0; at < members.length; at++) {
    const first = members[at] ?? ''
    const last = members[at + 1] === '-' ? members[at + 2] : undefined
    if (last === undefined ? char === first : isBetween(char, first, last)) return true
    if (last !== undefined) at += 2
  }
  return false
}

function isBetween(char: string, first: string, last: string): boolean {
  const code = char.codePointAt(0) ?? 0
  return code >= (first.codePointAt(0) ?? 0) && code <= (last.codePointAt(0) ?? 0)
}
