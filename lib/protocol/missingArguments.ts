/**
 * Makes Python's error for a call without all arguments.
 * @param names names of the missing ones; omit them if they aren't all known
 */
export function missingArguments(callee: string, count: number, names: readonly string[]): TypeError {
  const noun = count === 1 ? 'argument' : 'arguments'
  const listed = names.length === count ? `: ${listOf(names.map((name) => `'${name}'`))}` : ''
  return new TypeError(`${callee}() missing ${count} required positional ${noun}${listed}`)
}

/** Formats `a`, `a and b`, `a, b, and c`. */
function listOf(names: readonly string[]): string {
  if (names.length < 3) return names.join(' and ')
  return `${names.slice(0, -1).join(', ')}, and ${names.at(-1)}`
}
