import { clip } from './printable.js'
import { parseTime } from './time.js'

/** Characters of an invalid text that the error shows. */
const LONGEST_SHOWN = 100
const ZONE = /(?:Z|[+-]\d{2}(?::?\d{2})?(?::?\d{2})?)$/i
const CLOCK = /^([01]\d|2[0-3])(?::[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?(?:Z|[+-]\d{2}(?::?\d{2}){0,2})?$/i
const NUMBER = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|s?nan\d*)$/i
/** Thirty-two digits with a dash after each. */
const LONGEST_UUID = 64
const HEX = /^[0-9a-f]{32}$/

/** A Python value for which JavaScript has no type: kept as its text, so that nothing is lost. */
export abstract class TextValue {
  /** @throws TypeError if the text is not such a value */
  constructor(
    /** The value as Python writes it. */
    readonly text: string,
    isValid: boolean,
  ) {
    if (!isValid) throw new TypeError(`${JSON.stringify(clip(text, LONGEST_SHOWN))} is not a valid ${new.target.name}`)
  }

  /** The value as Python writes it. */
  toString(): string {
    return this.text
  }

  /** Used by logs and the like. A message carries the type too, so that Python gets its own back. */
  toJSON(): string {
    return this.text
  }
}

/** Python's `Decimal`. */
export class Decimal extends TextValue {
  /** @param text such as `1.50`, `1E+3`, `-0` or `NaN` */
  constructor(text: string) {
    super(text, NUMBER.test(text))
  }
}

/** Python's `date`: a day, without a time or a zone. */
export class PlainDate extends TextValue {
  /** @param text `yyyy-mm-dd` */
  constructor(text: string) {
    super(text, /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text))
  }
}

/** Python's `time`. */
export class PlainTime extends TextValue {
  /** @param text `hh:mm:ss.ffffff`, seconds and fraction may be missing, with or without an offset */
  constructor(text: string) {
    super(text, CLOCK.test(text))
  }
}

/** Python's `datetime` without a zone: only its sender knows which instant it means. */
export class PlainDateTime extends TextValue {
  /** @param text `yyyy-mm-ddThh:mm:ss.ffffff`, without an offset */
  constructor(text: string) {
    super(text, isTime(text) && !hasZone(text))
  }
}

/** Python's `UUID`. */
export class Uuid extends TextValue {
  /** @param text 32 hexadecimal digits, with or without dashes; kept in lower case with dashes */
  constructor(text: string) {
    const hex = text.length > LONGEST_UUID ? '' : text.replaceAll('-', '').toLowerCase()
    super(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), HEX.test(hex))
  }
}

/** A `Date` that remembers the microseconds it was read with, and is written with them as long as it isn't changed. */
export class PreciseDate extends Date {
  private readonly read: number

  /**
   * @param text an ISO 8601 time with an offset
   * @throws TypeError if it is not one
   */
  constructor(
    /** The time as it was read. */
    readonly text: string,
  ) {
    if (!isTime(text) || !hasZone(text))
      throw new TypeError(`${JSON.stringify(clip(text, LONGEST_SHOWN))} is not a valid PreciseDate`)
    super(instantOf(text))
    this.read = this.getTime()
  }

  /** Text as it was read; null once the date was changed. */
  get unchangedText(): string | null {
    return this.getTime() === this.read ? this.text : null
  }
}

/**
 * Returns Python's `datetime` as its nearest JavaScript value: a `Date`; a `PreciseDate` if it has microseconds; a
 * `PlainDateTime` if it has no zone.
 * @throws TypeError if the text is not an ISO 8601 time
 */
export function readDateTime(text: string): Date | PlainDateTime {
  if (!hasZone(text)) return new PlainDateTime(text)
  const date = new PreciseDate(text)
  return /[.,]\d{3}0*[1-9]/.test(text) ? date : new Date(date.getTime())
}

/**
 * Formats a time so that every version of Python's `fromisoformat` reads it: an offset in digits, and a fraction of 3
 * or 6 digits.
 * @throws TypeError for an invalid date, or one with a year that Python doesn't have
 */
export function writeDateTime(value: Date | PlainDateTime): string {
  const text = value instanceof PlainDateTime ? value.text : value instanceof PreciseDate ? value.unchangedText : null
  if (text !== null) {
    return text
      .replace(/[.,](\d+)/, (_, digits: string) => `.${digits.slice(0, 6).padEnd(6, '0')}`)
      .replace(/Z$/i, '+00:00')
  }
  const year = value instanceof Date ? value.getUTCFullYear() : Number.NaN
  if (!(value instanceof Date) || !(year >= 1 && year <= 9999))
    throw new TypeError(`the date ${String(value)} can't be written`)
  return value.toISOString().replace('Z', '+00:00')
}

function hasZone(text: string): boolean {
  return text.length > 10 && ZONE.test(text.slice(10))
}

function isTime(text: string): boolean {
  return parseTime(text) !== null && isDay(text.slice(0, 10))
}

/** `Date.parse` accepts the 31st of any month. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) && !text.startsWith('0000')
}

/**
 * Returns whole milliseconds, rounded down from microseconds that a double can't hold exactly. Historic zones have
 * offsets with seconds, which `parseTime` leaves out.
 */
function instantOf(text: string): number {
  const [, sign, seconds] = /([+-])\d{2}:?\d{2}:?(\d{2})$/.exec(text.slice(10)) ?? []
  const shift = seconds === undefined ? 0 : Number(`${sign}${seconds}`) * 1000
  return Math.floor((parseTime(text) ?? Number.NaN) + 5e-4) - shift
}
