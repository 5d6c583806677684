import type { Kwargs } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import type { Check } from './options.js'

/** Characters of a wrong argument that are shown. */
const SHOWN = 80

/** The longest time that Node's timers can wait: a longer one would fire at once. */
const MOST_TIMER_MS = 2 ** 31 - 1

const is =
  (test: (value: unknown) => boolean, expected: string): Check =>
  (value) =>
    test(value) ? null : expected

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

export const toggle: Check = is((value) => typeof value === 'boolean', 'true or false')
export const fn: Check = is((value) => typeof value === 'function', 'a function')
export const text: Check = is((value) => typeof value === 'string' && value !== '', 'a text that is not empty')
export const anyText: Check = is((value) => typeof value === 'string', 'a text')
/** Short strings of AMQP hold at most 255 bytes. */
const SHORT = 255
export const shortText: Check = (value) =>
  text(value) ?? (Buffer.byteLength(value as string) <= SHORT ? null : `at most ${SHORT} bytes`)
export const seconds: Check = is((value) => isNumber(value) && value >= 0, 'a number of seconds, not below 0')
export const offset: Check = is(isNumber, 'a number of seconds')
export const positiveSeconds: Check = is((value) => isNumber(value) && value > 0, 'a number of seconds above 0')
export const milliseconds: Check = is(
  (value) => isNumber(value) && value >= 1 && value <= MOST_TIMER_MS,
  `a number of milliseconds from 1 to ${MOST_TIMER_MS}`,
)
export const date: Check = is((value) => isDate(value), 'a Date that is a time')

/** A whole number. */
export const whole = (min: number, max = Number.MAX_SAFE_INTEGER): Check =>
  is(
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
    max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
  )

export const oneOf = (...words: readonly string[]): Check =>
  is((value) => typeof value === 'string' && words.includes(value), words.map((word) => `'${word}'`).join(' or '))

/** Error classes, as the right side of `instanceof`. */
export const classes: Check = is(
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'function'),
  'a list of error classes, such as [TypeError]',
)

export const plainObject: Check = is(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !isDate(value),
  'an object',
)

/** @throws TypeError for anything but a list and an object */
export function checkCall(task: string, args: unknown, kwargs: unknown): asserts kwargs is Kwargs {
  if (!Array.isArray(args)) throw new TypeError(`${task}: the arguments are ${repr(args, SHOWN)}: expected a list`)
  checkKwargs(task, kwargs)
}

/** @throws TypeError for anything but an object */
export function checkKwargs(task: string, kwargs: unknown): asserts kwargs is Kwargs {
  const expected = plainObject(kwargs)
  if (expected !== null) {
    throw new TypeError(`${task}: the keyword arguments are ${repr(kwargs, SHOWN)}: expected ${expected}`)
  }
}

/** @throws TypeError for anything but a text that is not empty */
export function checkId(call: string, id: unknown): void {
  const expected = text(id)
  if (expected !== null) throw new TypeError(`${call}: the id is ${repr(id, SHOWN)}: expected ${expected}`)
}

/** An AbortSignal of any realm. */
export const abortSignal: Check = is(
  (value) => Object.prototype.toString.call(value) === '[object AbortSignal]',
  'an AbortSignal',
)

export const array: Check = is(Array.isArray, 'a list')

/** Passes if any of several checks does. */
export const either =
  (...checks: readonly Check[]): Check =>
  (value) => {
    const expected = checks.map((check) => check(value))
    return expected.includes(null) ? null : expected.join(', or ')
  }

export const orNull = (check: Check): Check =>
  either(
    check,
    is((value) => value === null, 'null'),
  )

/** What is wrong with the two time limits of one task: at most one text. */
export function limitFaults({ softTimeLimit: soft, timeLimit: hard }: Limits): string[] {
  if (typeof soft !== 'number' || typeof hard !== 'number' || soft <= hard) return []
  return [`softTimeLimit is ${soft}: expected no more than timeLimit, which is ${hard}`]
}

interface Limits {
  readonly softTimeLimit?: number | null
  readonly timeLimit?: number | null
}

function isDate(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Date]' && !Number.isNaN((value as Date).getTime())
}
