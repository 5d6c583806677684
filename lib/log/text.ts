import { clip, printable } from '../protocol/printable.js'
import { maskSecrets } from '../settings/mask.js'
import type { LogEntry } from './entry.js'

/** Maximum number of characters in a line of the worker's own: some contain texts from outside, of any length. */
export const LONGEST_TEXT = 20_000

/** Returns whether a task wrote the entry, with its own log. */
export function isOfTask({ facts }: LogEntry): boolean {
  return facts?.task_name !== undefined && facts.task_id !== undefined
}

/**
 * Formats the message of an entry for people. The worker's own is one line, including texts from outside, and only
 * `details` add lines; a task's text keeps its lines and its length.
 */
export function printableText(entry: LogEntry, secrets: readonly string[]): string {
  const { facts, message } = entry
  if (isOfTask(entry)) return printable(message, { lines: true })
  return printable(bounded(message, secrets)) + printable(detailsOf(facts), { lines: true })
}

/** Formats the message of an entry for programs, which no character in a text can confuse. */
export function plainText(entry: LogEntry, secrets: readonly string[]): string {
  return isOfTask(entry) ? entry.message : bounded(entry.message, secrets) + detailsOf(entry.facts)
}

/** Formats a stack so that no line of the error's text can be taken for a log line. */
export function printableStack(stack: string, secrets: readonly string[]): string {
  return printable(bounded(stack, secrets), { lines: true }).replace(/\n(?=\S)/g, '\n    ')
}

/** Limits a text to `LONGEST_TEXT` characters. Masked before it is cut: half a secret would not be found. */
export function bounded(message: string, secrets: readonly string[]): string {
  return message.length > LONGEST_TEXT ? clip(maskSecrets(message, secrets), LONGEST_TEXT) : message
}

function detailsOf(facts: LogEntry['facts']): string {
  return typeof facts?.details === 'string' ? facts.details : ''
}
