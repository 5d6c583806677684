import type { CommandInfo } from '../control/command.js'
import { switchWord } from '../settings/switchWord.js'
import { UsageError } from './usage.js'

/**
 * Reads the arguments after a remote control command, by the names that the worker knows. A list takes all remaining
 * words, and is sent even if empty. Like Celery, this ignores words after a command without arguments.
 * @throws UsageError for a word of the wrong type, or too many words
 */
export function readArguments(command: CommandInfo, words: readonly string[]): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  if (command.args.length === 0) return given
  const rest = [...words]
  for (const { name, type } of command.args) {
    if (type === 'list') given[name] = rest.splice(0)
    else {
      const word = rest.shift()
      if (word !== undefined) given[name] = readWord(name, type, word)
    }
  }
  if (rest.length > 0) throw new UsageError(`Command '${command.name}' takes arguments: ${command.signature}`)
  return given
}

function readWord(name: string, type: string, word: string): unknown {
  switch (type) {
    case 'int':
      return number(name, word, /^[+-]?\d+$/, 'an integer')
    case 'float':
      return number(name, word, /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i, 'a number')
    case 'bool':
      return switched(name, word)
    default:
      return word
  }
}

function number(name: string, word: string, form: RegExp, what: string): number {
  if (form.test(word.trim())) return Number(word)
  throw new UsageError(`Invalid value for '${name}': '${word}' is not ${what}.`)
}

function switched(name: string, word: string): boolean {
  const value = switchWord(word)
  if (value !== undefined) return value
  throw new UsageError(`Invalid value for '${name}': '${word}' is not true or false.`)
}
