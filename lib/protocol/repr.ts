import { types } from 'node:util'
import { namesOf } from './pythonNames.js'
import { TextValue } from './values.js'

/** Deeper than this, a value is shown as `...`. */
const DEEPEST = 64
const ELLIPSIS = '...'
/** Python's `str.isprintable`: everything but the categories Other and Separator, except the space. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u
const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }

/**
 * Formats a value as Python's `repr` shows its counterpart there: for log lines, `argsrepr` and `kwargsrepr`. A whole
 * number is an int, unless it is so large (1e21) that JavaScript itself writes it as a float. The cost is bounded by
 * the text that is shown. Never throws.
 * @param maxLength maximum number of characters; a longer text ends with `...`
 */
export function repr(value: unknown, maxLength = 1024): string {
  return render(maxLength, (printer) => printer.value(value))
}

/** Formats positional arguments as Python shows a tuple: `()`, `(1,)`, `(2, 3)`. */
export function reprArgs(args: readonly unknown[], maxLength = 1024): string {
  return render(maxLength, (printer) => printer.sequence(args, '(', args.length === 1 ? ',)' : ')'))
}

/** Cuts a text that a sender has formatted to the length of `repr`. */
export function cutRepr(text: string, maxLength = 1024): string {
  if (text.length <= maxLength) return text
  const cut = text.slice(0, Math.max(0, maxLength - ELLIPSIS.length))
  return (/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut) + ELLIPSIS
}

function render(maxLength: number, print: (printer: Printer) => void): string {
  const printer = new Printer(maxLength)
  try {
    print(printer)
  } catch {
    // A getter or proxy of the user's may throw; a log line must not.
    printer.write('<unprintable>')
  }
  return printer.text()
}

/** Writes a value until the limit is reached; from then on every call returns at once. */
class Printer {
  private out = ''
  /** The containers that are being written, outermost first. */
  private readonly path: object[] = []

  constructor(private readonly maxLength: number) {}

  text(): string {
    return cutRepr(this.out, this.maxLength)
  }

  write(text: string): void {
    this.out += text
  }

  value(value: unknown): void {
    if (typeof value === 'string') this.string(value)
    else if (typeof value === 'object' && value !== null) this.object(value)
    else this.write(atom(value))
  }

  sequence(items: Iterable<unknown> & object, open: string, close: string): void {
    this.inside(items, open, close, () => {
      let separator = ''
      for (const item of items) {
        if (this.isFull) return
        this.write(separator)
        this.value(item)
        separator = ', '
      }
    })
  }

  private get isFull(): boolean {
    return this.out.length > this.maxLength
  }

  private object(value: object): void {
    if (Array.isArray(value)) this.sequence(value, '[', ']')
    else if (types.isMap(value)) this.dict(value, value)
    else if (types.isSet(value) && value.size > 0) this.sequence(value, '{', '}')
    else if (types.isSet(value)) this.write('set()')
    else if (types.isUint8Array(value)) this.bytes(value)
    else if (types.isDate(value)) this.write(datetime(value))
    else if (types.isNativeError(value) || value instanceof Error) this.error(value)
    else if (value instanceof TextValue) this.write(`${value.constructor.name}('${value.text}')`)
    else if (isPlain(value)) this.dict(value, properties(value))
    else this.write(`<${value.constructor?.name || 'object'}>`)
  }

  private dict(container: object, entries: Iterable<readonly [unknown, unknown]>): void {
    this.inside(container, '{', '}', () => {
      let separator = ''
      for (const [key, value] of entries) {
        if (this.isFull) return
        this.write(separator)
        this.value(key)
        this.write(': ')
        this.value(value)
        separator = ', '
      }
    })
  }

  private inside(container: object, open: string, close: string, content: () => void): void {
    this.write(open)
    if (this.path.includes(container) || this.path.length >= DEEPEST) this.write(ELLIPSIS)
    else {
      this.path.push(container)
      content()
      this.path.pop()
    }
    this.write(close)
  }

  /**
   * Writes the error under its name in results, with the arguments of the Python exception: its `args`, if it has any.
   */
  private error(error: Error & { readonly args?: unknown }): void {
    const { args, message } = error
    this.sequence(Array.isArray(args) ? args : message === '' ? [] : [message], `${namesOf(error).excType}(`, ')')
  }

  private string(text: string): void {
    // One more than fits, so that the text still counts as cut.
    const shown = text.slice(0, this.room)
    const quote = quoteFor(text.includes("'"), text.includes('"'))
    this.write(quote)
    for (const char of shown) this.write(escaped(char, quote))
    this.write(quote)
  }

  private bytes(bytes: Uint8Array): void {
    const shown = bytes.subarray(0, this.room)
    const quote = quoteFor(bytes.includes(0x27), bytes.includes(0x22))
    this.write(`b${quote}`)
    for (const byte of shown) {
      this.write(byte > 0x7e ? hex('x', byte, 2) : escaped(String.fromCharCode(byte), quote))
    }
    this.write(quote)
  }

  private get room(): number {
    return Math.max(0, this.maxLength - this.out.length) + 1
  }
}

/** Returns double quotes only where they save escapes. */
function quoteFor(hasSingle: boolean, hasDouble: boolean): string {
  return hasSingle && !hasDouble ? '"' : "'"
}

function escaped(char: string, quote: string): string {
  if (char === quote) return `\\${char}`
  const named = NAMED_ESCAPES[char]
  if (named !== undefined) return named
  if (char === ' ' || !UNPRINTABLE.test(char)) return char
  const code = char.codePointAt(0) ?? 0
  if (code <= 0xff) return hex('x', code, 2)
  return code <= 0xffff ? hex('u', code, 4) : hex('U', code, 8)
}

function hex(letter: string, code: number, digits: number): string {
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`
}

/** Formats a value without parts. */
function atom(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return number(value)
    case 'boolean':
      return value ? 'True' : 'False'
    case 'function':
      return value.name === '' ? '<function>' : `<function ${value.name}>`
    case 'symbol':
      return `<${String(value)}>`
    case 'bigint':
      return String(value)
    default:
      return 'None'
  }
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  // Python uses exponents below 1e-4, JavaScript below 1e-6, and Python writes at least two digits of them.
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

function datetime(date: Date): string {
  if (Number.isNaN(date.getTime())) return '<Invalid Date>'
  const parts = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
  ]
  const seconds = date.getUTCSeconds()
  const microseconds = date.getUTCMilliseconds() * 1000
  if (seconds > 0 || microseconds > 0) parts.push(seconds)
  if (microseconds > 0) parts.push(microseconds)
  return `datetime.datetime(${parts.join(', ')}, tzinfo=datetime.timezone.utc)`
}

function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  // Plain objects of another realm (a `vm` context) have another Object.prototype; it is the one that has no prototype itself.
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
}

function* properties(value: object): Generator<readonly [string, unknown]> {
  for (const key in value) if (Object.hasOwn(value, key)) yield [key, (value as Record<string, unknown>)[key]]
}
