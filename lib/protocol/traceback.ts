import { messageOf, namesOf } from './exception.js'

const HEADING = 'Traceback (most recent call last):'
const BECAUSE = '\nThe above exception was the direct cause of the following exception:\n\n'
const AT = /^\s+at (?:async )?/
const LINE_AND_COLUMN = /:(\d+):\d+$/

/**
 * An error's stack as Python writes a traceback: the call that failed last, its causes before it. What results carry in
 * `traceback` and what logs show under a failure.
 */
export function traceback(error: Error): string {
  const chain: Error[] = []
  for (let at: unknown = error; at instanceof Error && !chain.includes(at); at = at.cause) chain.unshift(at)
  return chain.map(oneOf).join(BECAUSE)
}

function oneOf(error: Error): string {
  const { excType } = namesOf(error)
  const message = messageOf(error)
  const ending = message === '' ? excType : `${excType}: ${message}`
  return `${[HEADING, ...framesOf(error), ending].join('\n')}\n`
}

/** The frames are the last lines of a stack; before them stands the message, which may look like anything. */
function framesOf(error: Error): string[] {
  const lines = typeof error.stack === 'string' ? error.stack.split('\n') : []
  const header = lines.findLastIndex((line) => !/^\s+at /.test(line))
  return lines
    .slice(header + 1)
    .reverse()
    .map(frameOf)
}

/** `at f (file:1:2)`, `at async f (file:1:2)`, `at file:1:2`. */
function frameOf(line: string): string {
  const text = line.replace(AT, '')
  const open = text.endsWith(')') ? text.indexOf(' (') : -1
  const place = open < 0 ? text : text.slice(open + 2, -1)
  const found = LINE_AND_COLUMN.exec(place)
  if (!found?.index) return `  ${line.trim()}`
  const path = place.slice(0, found.index).replace(/^file:\/\//, '')
  return `  File "${path}", line ${found[1]}, in ${open < 0 ? '<anonymous>' : text.slice(0, open)}`
}
