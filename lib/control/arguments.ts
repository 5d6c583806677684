/** The arguments of a command, as they came. */
export type Arguments = Readonly<Record<string, unknown>>

/** Python's exceptions, whose repr is what the asker reads. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}
export class AttributeError extends Error {
  override readonly name = 'AttributeError'
}
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

/** Whether an argument was given; Python's `None` counts as given nowhere. */
export function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

/**
 * The arguments that a command can't do without.
 * @throws TypeError in Python's words when some are missing
 */
export function required<const Name extends string>(
  command: string,
  args: Arguments,
  names: readonly Name[],
): Readonly<Record<Name, unknown>> {
  const missing = names.filter((name) => args[name] === undefined)
  if (missing.length === 0) return args as Readonly<Record<Name, unknown>>
  const quoted = missing.map((name) => `'${name}'`)
  const listed =
    quoted.length < 3 ? quoted.join(' and ') : `${quoted.slice(0, -1).join(', ')}, and ${quoted[quoted.length - 1]}`
  const noun = missing.length === 1 ? 'argument' : 'arguments'
  throw new TypeError(`${command}() missing ${missing.length} required positional ${noun}: ${listed}`)
}

/**
 * A whole number. The text of one is none, in Python as here: the command line has made a number of it.
 * @throws TypeError in Python's words for what isn't a whole number, ValueError for one that is below `least` or beyond all measure
 */
export function integer(name: string, value: unknown, least: number): number {
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
  if (!isWhole) throw new TypeError(`'${pythonType(value)}' object cannot be interpreted as an integer`)
  if (value >= least && value <= Number.MAX_SAFE_INTEGER) return Number(value)
  throw new ValueError(`${name} must be a whole number, ${least} or more`)
}

/** What Python calls the type of a value that came as JSON. */
function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'dict'
  return { string: 'str', boolean: 'bool', number: 'float' }[typeof value as string] ?? 'object'
}

/** Python's truth, for switches that may also come as the text of a command line. */
export function truth(value: unknown): boolean {
  if (typeof value === 'string') return !['', '0', 'false', 'no', 'off', 'none'].includes(value.toLowerCase())
  return Boolean(value)
}

/** One text, or a list of which the texts count: Celery's `maybe_list`. */
export function texts(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === 'string')
}

/** A text, or null for everything else. */
export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
