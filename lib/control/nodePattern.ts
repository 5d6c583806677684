import { lazily } from '../lazily.js'
import { matchesGlob } from '../settings/glob.js'

const re2 = lazily<typeof import('re2js')>('re2js')

/** Characters of the longest pattern that is accepted: the cost of compiling a regular expression grows with it. */
const LONGEST = 1000

/**
 * Returns whether a node's name matches the pattern of a control message. Mirrors kombu's matchers: `glob` is Python's
 * `fnmatch`; anything else is a regular expression that must match from the beginning, not to the end. The engine is
 * RE2, whose time grows only with the lengths of pattern and name; it has no lookaround and no backreferences.
 * @throws Error that says why the pattern is refused
 */
export function matchesNode(nodename: string, matcher: string, pattern: string): boolean {
  if (pattern.length > LONGEST) throw new TypeError(`it has ${pattern.length} characters; ${LONGEST} are read`)
  if (matcher === 'glob') return matchesGlob(nodename, pattern, { sets: true })
  return re2().RE2JS.compile(pattern).matcher(nodename).lookingAt()
}
