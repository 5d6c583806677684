import { link, linkError, listOption } from './links.js'
import {
  chordSignature,
  cloneSignature,
  isChain,
  isChord,
  isGroup,
  listSignature,
  type Signature,
  type SignatureList,
  unrolled,
} from './signature.js'

/** How two canvases are combined. */
export interface PipeOptions {
  /**
   * Whether a group of one stays a group, whose result is a list. Celery turns it into a task, unless it comes first.
   */
  readonly keepsGroups: boolean
}

const AS_CELERY: PipeOptions = { keepsGroups: false }

/**
 * Combines two canvases, one after the other: Python's `first | next`. A group before a step becomes the header of a
 * chord, a step after a chord is added to its body, chains are joined. Neither of the two is changed.
 */
export function pipe(first: Signature, given: Signature, options = AS_CELERY): Signature {
  const next = options.keepsGroups ? given : unrolled(given)
  if (isGroup(first)) return chordSignature(cloneSignature(first) as SignatureList, cloneSignature(given))
  if (isChord(first)) {
    if (isGroup(next) || isChain(given)) return chained([cloneSignature(first)], next)
    const chord = cloneSignature(first) as typeof first
    chord.kwargs.body = chord.kwargs.body === null ? cloneSignature(next) : pipe(chord.kwargs.body, next, options)
    return chord
  }
  return isChain(first) ? afterChain(first, next, options) : chained([cloneSignature(first)], next)
}

/** Mirrors `_chain.__or__`. */
function afterChain(chain: SignatureList, other: Signature, options: PipeOptions): Signature {
  if (isChain(other)) return stepsOf(other).reduce<Signature>((before, step) => pipe(before, step, options), chain)
  const steps = isGroup(other) ? stepsOf(chain) : (cloneSignature(chain) as SignatureList).kwargs.tasks
  const last = steps.at(-1)
  if (!last) return cloneSignature(other)
  if (isChord(last) && last.kwargs.body !== null && !isChord(other)) {
    last.kwargs.body = pipe(last.kwargs.body, other, options)
    return withSteps(chain, steps, isGroup(other))
  }
  if (isGroup(other) || !isGroup(last)) {
    return withSteps(
      chain,
      isGroup(other) ? [...steps, cloneSignature(other)] : [...stepsOf(chain), cloneSignature(other)],
      true,
    )
  }
  const chord = chordSignature(last, cloneSignature(other))
  const before = steps.at(-2)
  if (!before || !isChord(before) || before.kwargs.body === null) {
    return withSteps(chain, [...steps.slice(0, -1), chord], false)
  }
  before.kwargs.body = pipe(before.kwargs.body, chord, options)
  return withSteps(chain, steps.slice(0, -1), false)
}

/** A new chain, or the given one with other steps, in which case it keeps its options. */
function withSteps(chain: SignatureList, steps: Signature[], isNew: boolean): Signature {
  if (isNew) return listSignature('chain', steps)
  const copy = cloneSignature(chain) as SignatureList
  copy.kwargs.tasks = steps
  return copy
}

function chained(steps: Signature[], next: Signature): Signature {
  return listSignature('chain', [...steps, ...(isChain(next) ? stepsOf(next) : [cloneSignature(next)])])
}

/** Copies of a chain's steps; the last has the chain's callbacks, and each its error callbacks. Mirrors `unchain_tasks`. */
export function stepsOf(chain: SignatureList): Signature[] {
  const steps = chain.kwargs.tasks.map(cloneSignature)
  const last = steps.at(-1)
  if (last) link(last, listOption(chain.options, 'link'))
  const errbacks = listOption(chain.options, 'link_error')
  for (const step of steps) linkError(step, errbacks, { errorsOnHeader: false })
  return steps
}
