import { inspect } from 'node:util'
import type { LogLevel } from '../ports.js'
import { clipName, printable } from '../protocol/printable.js'
import { stackOf, withCauses } from '../protocol/stack.js'
import type { LogEntry } from './entry.js'
import { localTime } from './localTime.js'
import { bounded, isOfTask, printableStack } from './text.js'

/** Python's level numbers; a line is written if its number isn't below the threshold's. FATAL is another word for CRITICAL. */
export const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = {
  DEBUG: 10,
  INFO: 20,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
  FATAL: 50,
}

/** Formats an entry as text, without the final newline. */
export type LineTemplate = (entry: LogEntry) => string

/** Maximum number of errors that are shown of a chain of causes. */
const MOST_CAUSES = 10

/** Value of a field outside of a task, as in Celery. */
const UNKNOWN = '???'

/** Fields of Python's LogRecord that have a meaning here. */
const FIELDS: Readonly<Record<string, (entry: LogEntry) => string>> = {
  asctime: ({ at }) => asctime(at),
  created: ({ at }) => String(at / 1000),
  levelname: ({ level }) => level,
  levelno: ({ level }) => String(LEVEL_NUMBERS[level]),
  message: ({ message }) => message,
  msecs: ({ at }) => String(at % 1000),
  name: ({ scope }) => scope,
  process: () => String(process.pid),
  processName: () => 'MainProcess',
  task_id: ({ facts }) => printableName(String(facts?.task_id ?? UNKNOWN)),
  task_name: ({ facts }) => printableName(String(facts?.task_name ?? UNKNOWN)),
  threadName: () => 'MainThread',
}

/**
 * Compiles a format in Python's logging style: `%(levelname)s`, with a width as in `%(levelname)-8s` and `%(msecs)03d`;
 * `%%` is a percent sign. Fields that have no meaning here show `???`. The stack of a fact named `error` follows on the
 * next lines, then those of its causes.
 * @param secrets masked in a stack before it is cut
 */
export function template(format: string, secrets: readonly string[]): LineTemplate {
  const pieces: LineTemplate[] = []
  let from = 0
  for (const found of format.matchAll(/%\((\w+)\)(-?)(0?)(\d*)(?:\.\d+)?([sdf])|%%/g)) {
    const literal = format.slice(from, found.index)
    from = found.index + found[0].length
    if (literal !== '') pieces.push(() => literal)
    const [, name, left, zero, width, type] = found
    // As in Python, a zero before the width counts for numbers only.
    const fill = zero === '0' && type !== 's' ? '0' : ' '
    if (name === undefined) pieces.push(() => '%')
    else pieces.push(padded(FIELDS[name] ?? (() => UNKNOWN), Number(width ?? 0), left === '-', fill))
  }
  const rest = format.slice(from)
  if (rest !== '') pieces.push(() => rest)
  return (entry) => {
    let line = ''
    for (const piece of pieces) line += piece(entry)
    const error = entry.facts?.error
    return error instanceof Error ? `${line}\n${stacksOf(error, secrets)}` : line
  }
}

function stacksOf(error: Error, secrets: readonly string[]): string {
  return withCauses(error, MOST_CAUSES)
    .map((each) => printableStack(stackOf(each), secrets))
    .join('\nCaused by: ')
}

function padded(field: LineTemplate, width: number, left: boolean, fill: string): LineTemplate {
  if (width === 0) return field
  return left ? (entry) => field(entry).padEnd(width) : (entry) => field(entry).padStart(width, fill)
}

let second = Number.NaN
let secondText = ''

/** `2026-11-24 08:47:43,128`, local time. The part up to the second is kept, since many lines share it. */
function asctime(at: number): string {
  const ms = at % 1000
  if (at - ms !== second) {
    second = at - ms
    secondText = localTime(new Date(at))
  }
  return `${secondText},${String(ms).padStart(3, '0')}`
}

/**
 * Formats an entry as one JSON object per line: time, level, logger, message, then the facts.
 * @param secrets masked in a fact before it is cut
 */
export function jsonLine(secrets: readonly string[]): LineTemplate {
  const clipped = (value: unknown): unknown => (typeof value === 'string' ? bounded(value, secrets) : value)
  return (entry) => {
    const { at, level, scope, message } = entry
    const { details: _, ...facts } = entry.facts ?? {}
    const value = (_key: string, value: unknown): unknown =>
      isOfTask(entry) ? jsonValue(value) : clipped(jsonValue(value))
    const fixed = { time: new Date(at).toISOString(), level, logger: scope, message }
    try {
      // The fixed fields come first and can't be replaced by a fact of the same name.
      return JSON.stringify({ ...fixed, ...facts, ...fixed }, value)
    } catch {
      return JSON.stringify({ ...fixed, facts: inspect(facts) })
    }
  }
}

function printableName(name: string): string {
  return printable(clipName(name))
}

function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? jsonError(withCauses(value, MOST_CAUSES)) : value
}

function jsonError([error, ...causes]: readonly Error[]): unknown {
  if (!error) return undefined
  return { name: error.name, message: error.message, stack: stackOf(error), cause: jsonError(causes) }
}
