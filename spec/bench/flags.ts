import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface Flags {
  /** Small counts and one round; nothing is judged. */
  readonly quick: boolean
  /** Names of the cases to run; all if empty. */
  readonly only: readonly string[]
  /** Where the results go as JSON; null for nowhere. */
  readonly json: string | null
  /** Where the picture goes; null for nowhere. */
  readonly svg: string | null
  readonly help: boolean
}

export const USAGE = `bin/bench [--quick] [--only CASE[,CASE]] [--json FILE] [--svg FILE]

  --quick      small counts and one round, in less than two minutes; the figures are not judged, and nothing is written
  --only CASE  this case alone; may be given several times
  --json FILE  where the results go; by default spec/bench/results.json if all cases are run. With --only, those of other cases stay in it
  --svg FILE   where the picture goes; by default spec/bench/results.svg if all cases are run
`

/**
 * Reads the command line.
 * @param argv without the program's name
 * @param names of the cases there are
 * @throws Error that says what is wrong
 */
export function parseFlags(argv: readonly string[], names: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const only = values.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
  const unknown = only.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}. There are: ${names.join(', ')}`)
  // What is committed holds all cases in full.
  const complete = !values.quick && only.length === 0
  return {
    quick: values.quick,
    only,
    json: values.json ?? (complete ? 'spec/bench/results.json' : null),
    svg: values.svg ?? (complete ? 'spec/bench/results.svg' : null),
    help: values.help,
  }
}
