import type { Document } from 'yaml'
import { lazily } from '../../lazily.js'
import { BadMessage } from '../badMessage.js'
import { BodyCount, type BodyLimits } from './bodyLimits.js'

const yaml = lazily<typeof import('yaml')>('yaml')

/** Cost of a token compared with a bracket of JSON: the YAML parser takes that much longer. */
const ITEMS_PER_TOKEN = 10
/** At twice this depth the recursive parser is still far from a stack overflow. */
const DEEPEST = 250
/** Of each kind: for each alias the library walks through all anchors and aliases before it. */
const MOST_REFERENCES = 5000
/** For each key that is a date or bytes the library walks through all anchors: so many steps take less than a second. */
const MOST_STEPS = 5_000_000
/** Emitted by the lexer before a plain or a block scalar, whose text is not a token of its own. */
const SCALAR = '\u001f'
const CONTROLS: ReadonlySet<string> = new Set([SCALAR, '\u0002', '\u0018'])

/**
 * Checks a YAML text against the limits by its tokens, before anything is built from them. The levels that indentation
 * makes may be twice as many as this finds.
 * @throws BadMessage
 */
export function checkTokens(text: string, limits: BodyLimits): void {
  const count = new BodyCount({ ...limits, maxNesting: Math.min(limits.maxNesting, DEEPEST) })
  /** Columns of the open block collections, outermost first. */
  const blocks: number[] = []
  let flows = 0
  const references = { '*': 0, '&': 0 }
  let column = 0
  /**
   * Column of the first token after the start of a line, or after an indicator: a key that begins there opens a
   * mapping.
   */
  let start: number | null = null
  let isText = false
  const open = (at: number): void => {
    while ((blocks.at(-1) ?? -1) > at) blocks.pop()
    if ((blocks.at(-1) ?? -1) < at) blocks.push(at)
  }
  for (const token of new (yaml().Lexer)().lex(text)) {
    count.add(ITEMS_PER_TOKEN)
    const indicator = isText ? '' : token
    isText = token === SCALAR
    if (CONTROLS.has(token)) continue
    const sign = indicator[0]
    if ((sign === '*' || sign === '&') && ++references[sign] > MOST_REFERENCES) {
      const name = sign === '*' ? 'aliases' : 'anchors'
      throw new BadMessage('too-many-items', `the body has more than ${MOST_REFERENCES} ${name}`)
    }
    const isSpace = indicator !== '' && (token[0] === ' ' || token[0] === '\t')
    if (indicator === '[' || indicator === '{') flows++
    else if (indicator === ']' || indicator === '}') flows = Math.max(0, flows - 1)
    else if (flows === 0 && (indicator === '-' || indicator === '?')) open(column)
    else if (flows === 0 && indicator === ':') open(start ?? column)
    count.nest(blocks.length + flows)
    if (indicator === '-' || indicator === '?' || indicator === ':') start = null
    else if (!isSpace) start ??= column
    const newline = token.lastIndexOf('\n')
    column = newline < 0 ? column + token.length : token.length - newline - 1
    if (newline >= 0) start = null
  }
}

/** Size of a node with each alias expanded. */
interface Extent {
  readonly items: number
  /** Levels of collections. */
  readonly height: number
}

const LEAF: Extent = { items: 1, height: 0 }

/**
 * Checks a document against the limits with every alias, and so every merge, expanded: a few nested ones stand for more
 * than any computer could visit. Lists and mappings are refused as keys, as Python refuses them.
 * @throws BadMessage; TypeError for an alias of a node that contains it, and for such a key
 */
export function checkDocument(document: Document, limits: BodyLimits): void {
  const walk = new Walk(limits)
  walk.extentOf(document.contents, 0)
  if (walk.anchors * walk.objectKeys > MOST_STEPS) {
    throw new BadMessage(
      'too-many-items',
      `the body has ${walk.anchors} anchors beside ${walk.objectKeys} keys that are dates, bytes or aliases`,
    )
  }
}

class Walk {
  anchors = 0
  /** Keys that may be objects here. */
  objectKeys = 0
  /** Extents by anchor; null while its node is being visited. */
  private readonly anchored = new Map<string, Extent | null>()

  constructor(private readonly limits: BodyLimits) {}

  /** @param depth collections around the node */
  extentOf(node: unknown, depth: number): Extent {
    const { isAlias, isCollection, isNode } = yaml()
    if (isAlias(node)) return this.targetOf(node.source, depth)
    if (!isNode(node)) return LEAF
    if (node.anchor !== undefined) {
      this.anchors++
      this.anchored.set(node.anchor, null)
    }
    const extent = isCollection(node) ? this.collection(node.items, depth + 1) : LEAF
    if (node.anchor !== undefined) this.anchored.set(node.anchor, extent)
    return extent
  }

  private targetOf(source: string, depth: number): Extent {
    const extent = this.anchored.get(source)
    if (extent === null) throw new TypeError(`*${source} is a part of itself`)
    // The library itself reports an alias without an anchor.
    if (extent === undefined) return LEAF
    new BodyCount(this.limits).nest(depth + extent.height)
    return extent
  }

  private collection(members: readonly unknown[], depth: number): Extent {
    const { isPair } = yaml()
    const count = new BodyCount(this.limits)
    count.nest(depth)
    let items = 1
    let height = 0
    for (const member of members) {
      if (isPair(member)) this.checkKey(member.key)
      for (const node of isPair(member) ? [member.key, member.value] : [member]) {
        const extent = this.extentOf(node, depth)
        count.add(extent.items)
        items += extent.items
        height = Math.max(height, extent.height)
      }
    }
    return { items, height: height + 1 }
  }

  private checkKey(key: unknown): void {
    const { isAlias, isCollection, isScalar } = yaml()
    if (isCollection(key) || (isAlias(key) && (this.anchored.get(key.source)?.height ?? 0) > 0)) {
      throw new TypeError('a list or a mapping as a key')
    }
    if (isAlias(key) || (isScalar(key) && typeof key.value === 'object' && key.value !== null)) this.objectKeys++
  }
}
