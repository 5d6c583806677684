/**
 * Control characters, and those that move, hide or reverse the text beside them: line separators, marks of direction.
 */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u
const EACH_UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const EACH_UNSAFE_BUT_LAYOUT = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const LONGEST_NAME = 255
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

export interface PrintableOptions {
  /** True to keep newlines and tabs, for texts of several lines. */
  readonly lines?: boolean
}

/**
 * Makes a text from outside safe for a terminal and for a log: characters that could move the cursor, change colours or
 * begin another line are written as Python's `repr` writes them. Call it where a text leaves the process.
 */
export function printable(text: string, { lines = false }: PrintableOptions = {}): string {
  if (!UNSAFE.test(text)) return text
  return text.replace(lines ? EACH_UNSAFE_BUT_LAYOUT : EACH_UNSAFE, escaped)
}

/** Limits a text to this many characters. A longer one loses its middle, since its end may say what it is about. */
export function clip(text: string, longest: number): string {
  if (text.length <= longest) return text
  const head = Math.ceil((longest * 3) / 4)
  const start = text.slice(0, head).replace(/[\uD800-\uDBFF]$/, '')
  const end = text.slice(text.length - (longest - head)).replace(/^[\uDC00-\uDFFF]/, '')
  return `${start}...(${text.length - start.length - end.length} characters)...${end}`
}

/**
 * Shortens the name or id of a task for logs and lists: Celery's ids have 36 characters, AMQP's short texts at most
 * 255.
 */
export function clipName(name: string): string {
  return clip(name, LONGEST_NAME)
}

function escaped(char: string): string {
  const code = char.charCodeAt(0)
  return NAMED[char] ?? (code <= 0xff ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
