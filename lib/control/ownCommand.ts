import type { OwnCommand } from '../app/ownCommands.js'
import { writeJson } from '../protocol/content/json.js'
import { wrap } from '../protocol/content/kombuTypes.js'
import { type Argument, type Arguments, argument, integer, required, truth, ValueError } from './arguments.js'
import { type Command, command } from './command.js'

const KINDS: Readonly<Record<string, Argument<unknown>>> = {
  text: argument('text', (value, name) => {
    if (typeof value === 'string') return value
    throw new ValueError(`${name} must be a text`)
  }),
  int: integer(Number.MIN_SAFE_INTEGER),
  float: argument('float', (value, name) => {
    const read = typeof value === 'bigint' ? Number(value) : value
    if (typeof read === 'number' && Number.isFinite(read)) return read
    throw new ValueError(`${name} must be a number`)
  }),
  bool: truth,
  list: argument('list', (value, name) => {
    if (Array.isArray(value)) return value
    throw new ValueError(`${name} must be a list`)
  }),
}

/** Makes a remote control command of one that an app defines: all its arguments are read before it runs. */
export function ownCommand({ args, help, kind, name, run }: OwnCommand): Command {
  const declared = Object.entries(args).map(([each, given]) => [each, argumentOf(given)] as const)
  const made = command({
    name,
    kind,
    help: help.endsWith('.') ? help : `${help}.`,
    args: Object.fromEntries(declared),
    signature: declared.map(([each, { required }]) => (required ? `<${each}>` : `[${each}]`)).join(' '),
    run: async (values, { nodename }) => {
      const value = await run({ ...values }, { nodename })
      // The panel turns this into an error; the mailbox could not report one.
      if (typeof value === 'symbol' || typeof value === 'function') {
        throw new TypeError(`the reply of ${name} is a ${typeof value}, which cannot be written as JSON`)
      }
      writeJson(wrap(value ?? null))
      return value ?? null
    },
  })
  return {
    ...made,
    answer: (given, parts) => {
      refuseOthers(name, given, args)
      return made.answer(given, parts)
    },
  }
}

function argumentOf(given: string): Argument<unknown> {
  const kind = KINDS[given.replace('?', '')] as Argument<unknown>
  if (!given.endsWith('?')) return required(kind)
  return {
    ...kind,
    read: (value, name) => (value === undefined || value === null ? undefined : kind.read(value, name)),
  }
}

function refuseOthers(name: string, given: Arguments, args: object): void {
  const other = Object.keys(given).find((each) => !Object.hasOwn(args, each))
  if (other !== undefined) throw new TypeError(`${name}() got an unexpected keyword argument '${other}'`)
}
