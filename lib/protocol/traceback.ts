import { messageOf, namesOf } from './exception.js'
import { framesOf, withCauses } from './stack.js'

const HEADING = 'Traceback (most recent call last):'
const BECAUSE = '\nThe above exception was the direct cause of the following exception:\n\n'
/** Maximum number of errors that are shown of a chain of causes. */
const LONGEST_CHAIN = 100
const AT = /^\s+at (?:async )?/
const LINE_AND_COLUMN = /:(\d+):\d+$/

/**
 * Formats an error's stack as a Python traceback, as in a result's `traceback`: the call that failed comes last, the
 * causes before it. The worker's own frames that called the task are left out. Never throws.
 */
export function traceback(error: Error): string {
  return withCauses(error, LONGEST_CHAIN).toReversed().map(oneOf).join(BECAUSE)
}

function oneOf(error: Error): string {
  const { excType } = namesOf(error)
  const message = messageOf(error)
  const ending = message === '' ? excType : `${excType}: ${message}`
  return `${[HEADING, ...framesOf(error).toReversed().map(frameOf), ending].join('\n')}\n`
}

/** Writes `at f (file:1:2)`, `at async f (file:1:2)` or `at file:1:2` as Python would. */
function frameOf(line: string): string {
  const text = line.replace(AT, '')
  const open = text.endsWith(')') ? text.indexOf(' (') : -1
  const place = open < 0 ? text : text.slice(open + 2, -1)
  const found = LINE_AND_COLUMN.exec(place)
  if (!found?.index) return `  ${line.trim()}`
  const path = place.slice(0, found.index).replace(/^file:\/\//, '')
  return `  File "${path}", line ${found[1]}, in ${open < 0 ? '<anonymous>' : text.slice(0, open)}`
}
