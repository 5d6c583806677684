/** The parameters of a function, as its source shows them. */
export interface Signature {
  /** Names of the parameters, with and without a default; null for one that is destructured. */
  readonly names: readonly (string | null)[]
  /** Whether the function takes any number of further arguments. */
  readonly rest: boolean
}

const HEAD = /^(?:async\b\s*)?(?:function\b\s*)?\*?\s*[\w$#]*\s*\(/
const SINGLE = /^(?:async\s+)?([\w$]+)\s*=>/
const NAME = /^[\w$]+/
const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/**
 * Reads what a function takes from its source, since `Function.length` ends at the first default and doesn't count a
 * rest parameter.
 * @returns null if the source doesn't show it: a native or bound function, a computed name, one that reads `arguments`,
 *   a default that is a template or a regular expression
 */
export function signatureOf(fn: (...args: never[]) => unknown): Signature | null {
  const source = Function.prototype.toString.call(fn)
  if (/\[native code\]|\barguments\b/.test(source)) return null
  const single = SINGLE.exec(source)
  if (single) return { names: [single[1] ?? null], rest: false }
  const head = HEAD.exec(source)
  const parameters = head && split(source, head[0].length)
  if (!parameters) return null
  const rest = parameters.at(-1)?.startsWith('...') ?? false
  const positions = rest ? parameters.slice(0, -1) : parameters
  return { names: positions.map((text) => NAME.exec(text)?.[0] ?? null), rest }
}

/**
 * The parameters between the bracket that opens before `from` and the one that closes it, without comments; null if in
 * doubt.
 */
function split(source: string, from: number): string[] | null {
  const parameters: string[] = []
  const open = [')']
  let text = ''
  for (let at = from; at < source.length; at++) {
    const sign = source.charAt(at)
    if (sign === '`') return null
    if (sign === '/') {
      const end = commentEnd(source, at)
      if (end === null) return null
      at = end
    } else if (sign === '"' || sign === "'") {
      const end = textEnd(source, at)
      text += source.slice(at, end + 1)
      at = end
    } else if (CLOSES[sign] !== undefined) {
      open.push(CLOSES[sign])
      text += sign
    } else if (sign === open.at(-1) && open.length > 1) {
      open.pop()
      text += sign
    } else if (open.length === 1 && (sign === ',' || sign === ')')) {
      // A comma may follow the last parameter.
      if (text.trim() !== '') parameters.push(text.trim())
      if (sign === ')') return parameters
      text = ''
    } else text += sign
  }
  return null
}

/**
 * The position of a comment's last character; null for a division or a regular expression, which only a parser can tell
 * apart.
 */
function commentEnd(source: string, at: number): number | null {
  if (source.startsWith('//', at)) return source.indexOf('\n', at)
  return source.startsWith('/*', at) ? source.indexOf('*/', at + 2) + 1 : null
}

function textEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source.charAt(at) === '\\') at++
    else if (source.charAt(at) === source.charAt(from)) return at
  }
  return source.length
}

/** How a parameter is written: `depth?`, `**options`, `...rest`. */
const FORM = /^(\*\*|\.\.\.)?([A-Za-z_$][\w$]*)(\?)?$/

/** The arguments that a task declares by `params`. */
export interface Params {
  /** Names of the arguments, in their order, without the question marks of optional ones. */
  readonly names: readonly string[]
  /** How many arguments have no question mark; null if none has one: then the handler decides. */
  readonly required: number | null
  /**
   * The name that gathers keyword arguments of other names, the argument after the named ones; null without one.
   * Python's `**options`.
   */
  readonly options: string | null
  /** The name that gathers further positional arguments, the last ones; null without one. Python's `*rest`. */
  readonly rest: string | null
}

/** Reads `params`, which `paramsFault` has checked. */
export function readParams(params: readonly string[]): Params {
  const parts = params.map((param) => FORM.exec(param) ?? [])
  const named = parts.filter(([, mark]) => mark === undefined)
  const nameOf = (wanted: string): string | null => parts.find(([, mark]) => mark === wanted)?.[2] ?? null
  const isMarked = named.some(([, , , optional]) => optional !== undefined)
  return {
    names: named.map(([, , name = '']) => name),
    required: isMarked ? named.filter(([, , , optional]) => optional === undefined).length : null,
    options: nameOf('**'),
    rest: nameOf('...'),
  }
}

/** What `params` should be, if it isn't; else null. */
export function paramsFault(params: unknown): string | null {
  const parts = Array.isArray(params)
    ? params.map((param) => (typeof param === 'string' ? FORM.exec(param) : null))
    : []
  if (!Array.isArray(params) || parts.includes(null)) {
    return "a list of argument names, such as ['url', 'depth?', '**options', '...rest'], where ? marks one that may be left out, ** what gathers other keyword arguments, and ... what gathers further ones by position"
  }
  const names = parts.map((part) => part?.[2])
  if (new Set(names).size < names.length) return 'names that are all different'
  // Named arguments first, then what gathers by name, then what gathers by position: a handler can't take them in
  // another order.
  const ranks = parts.map((part) => (part?.[1] === undefined ? 0 : part[1] === '**' ? 1 : 2))
  if (
    ranks.some((rank, at) => at > 0 && rank < (ranks[at - 1] ?? 0)) ||
    ranks.filter((rank) => rank === 1).length > 1 ||
    ranks.filter((rank) => rank === 2).length > 1
  ) {
    return "the named ones first, then one '**options' at most, and one '...rest' at most as the last"
  }
  if (parts.some((part) => part?.[1] !== undefined && part[3] !== undefined))
    return 'no ? behind what gathers arguments: it may be empty'
  const firstOptional = parts.findIndex((part) => part?.[3] !== undefined)
  if (
    firstOptional >= 0 &&
    parts.slice(firstOptional).some((part) => part?.[1] === undefined && part?.[3] === undefined)
  ) {
    return 'no required name behind an optional one'
  }
  return null
}
