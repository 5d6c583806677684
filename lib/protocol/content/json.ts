import { setOwn } from './plain.js'

const LARGEST_SAFE = String(Number.MAX_SAFE_INTEGER)
/** As many as Python's `int()` reads: the cost grows faster than the number of digits. */
const MOST_DIGITS = 4300
const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/**
 * Parses a JSON text as Python writes it: with `NaN`, `Infinity` and `-Infinity`, and with integers of any size, which
 * become BigInt where a number would lose digits. Otherwise as `JSON.parse`, and as fast.
 * @param checkNesting called before the text is read by anything but `JSON.parse`, which takes any nesting
 * @throws SyntaxError if the text is not valid JSON
 */
export function readJson(text: string, checkNesting?: () => void): unknown {
  if (hasLongInteger(text)) {
    checkNesting?.()
    return new Reader(text).document()
  }
  try {
    return JSON.parse(text)
  } catch (thrown) {
    checkNesting?.()
    // JSON.parse refuses a text written by Python only because of these words.
    if (!/NaN|Infinity/.test(text)) throw thrown
    return new Reader(text).document()
  }
}

/** Writes a value returned by `toPlain`, or of JSON's own types: BigInt as an integer, everything else as `JSON.stringify` does. */
export function writeJson(plain: unknown): string {
  try {
    return JSON.stringify(plain)
  } catch {
    // BigInt is the only plain value that JSON.stringify can't write.
    return written(plain)
  }
}

function written(plain: unknown): string {
  if (typeof plain === 'bigint') return String(plain)
  if (Array.isArray(plain)) return `[${plain.map(written).join(',')}]`
  if (typeof plain !== 'object' || plain === null) return JSON.stringify(plain) ?? 'null'
  if ('toJSON' in plain && typeof plain.toJSON === 'function') return written(plain.toJSON())
  const members = Object.entries(plain)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}:${written(value)}`)
  return `{${members.join(',')}}`
}

/** Returns whether the text may contain an integer past 2^53: a run of 16 digits has one at every 16th position. */
function hasLongInteger(text: string): boolean {
  for (let at = LARGEST_SAFE.length - 1; at < text.length; at += LARGEST_SAFE.length) {
    if (!isDigit(text, at)) continue
    let from = at
    let to = at + 1
    while (isDigit(text, from - 1)) from--
    while (isDigit(text, to)) to++
    at = to - 1
    if (to - from < LARGEST_SAFE.length) continue
    const isSafe = to - from === LARGEST_SAFE.length && text.slice(from, to) <= LARGEST_SAFE
    const isFraction = text[from - 1] === '.' || '.eE'.includes(text[to] ?? ' ')
    if (!isSafe && !isFraction) return true
  }
  return false
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}

/** Recursive descent: the nesting of untrusted text must be limited before. */
class Reader {
  private at = 0

  constructor(private readonly text: string) {}

  document(): unknown {
    const value = this.value()
    if (this.at < this.text.length) throw this.unexpected()
    return value
  }

  /** Reads a value with the space around it. */
  private value(): unknown {
    this.space()
    const value = this.bare()
    this.space()
    return value
  }

  private bare(): unknown {
    switch (this.text[this.at]) {
      case '{':
        return this.object()
      case '[':
        return this.array()
      case '"':
        return this.string()
    }
    const number = this.match(NUMBER)
    if (number) return this.number(number)
    for (const [word, value] of LITERALS) if (this.skip(word)) return value
    throw this.unexpected()
  }

  private number([text, fraction, exponent]: RegExpExecArray): number | bigint {
    const number = Number(text)
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(number)) return number
    if (text.length > MOST_DIGITS) throw new SyntaxError(`an integer of more than ${MOST_DIGITS} digits`)
    return BigInt(text)
  }

  private array(): unknown[] {
    this.at++
    const items: unknown[] = []
    this.space()
    if (this.skip(']')) return items
    do items.push(this.value())
    while (this.skip(','))
    if (!this.skip(']')) throw this.unexpected()
    return items
  }

  private object(): Record<string, unknown> {
    this.at++
    const object: Record<string, unknown> = {}
    this.space()
    if (this.skip('}')) return object
    do {
      this.space()
      const key = this.string()
      this.space()
      if (!this.skip(':')) throw this.unexpected()
      setOwn(object, key, this.value())
    } while (this.skip(','))
    if (!this.skip('}')) throw this.unexpected()
    return object
  }

  private string(): string {
    const from = this.at
    if (!this.skip('"')) throw this.unexpected()
    for (;;) {
      const end = this.text.indexOf('"', this.at)
      if (end < 0) throw new SyntaxError(`a string that starts at position ${from} has no end`)
      this.at = end + 1
      let first = end
      while (this.text[first - 1] === '\\') first--
      // With an odd number of backslashes, the quote is part of the string.
      if ((end - first) % 2 === 0) return JSON.parse(this.text.slice(from, this.at)) as string
    }
  }

  private space(): void {
    this.match(SPACE)
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found) this.at = pattern.lastIndex
    return found
  }

  private skip(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  private unexpected(): SyntaxError {
    const found = this.text[this.at]
    return new SyntaxError(
      found === undefined ? 'unexpected end of JSON' : `unexpected ${JSON.stringify(found)} at position ${this.at}`,
    )
  }
}
