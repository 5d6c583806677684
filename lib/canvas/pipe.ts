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
export function pipe(first: Signature, next: Signature, options = AS_CELERY): Signature {
  return pipeAll(first, [next], options)
}

/** As `pipe`, for many: the canvas is copied once, and not again for each of them. */
export function pipeAll(first: Signature, more: readonly Signature[], options = AS_CELERY): Signature {
  return more.reduce((before, next) => append(before, cloneSignature(next), options), cloneSignature(first))
}

/** Both are copies, and may be changed. */
function append(first: Signature, given: Signature, options: PipeOptions): Signature {
  const next = options.keepsGroups ? given : unrolled(given)
  if (isGroup(first)) return chordSignature(first, given)
  if (isChord(first)) {
    if (isGroup(next) || isChain(given)) return chained(first, next)
    first.kwargs.body = first.kwargs.body === null ? next : append(first.kwargs.body, next, options)
    return first
  }
  return isChain(first) ? afterChain(first, next, options) : chained(first, next)
}

/** Mirrors `_chain.__or__`. */
function afterChain(chain: SignatureList, other: Signature, options: PipeOptions): Signature {
  if (isChain(other)) {
    return unchained(other).reduce<Signature>((before, step) => append(before, step, options), chain)
  }
  const { tasks } = chain.kwargs
  const last = tasks.at(-1)
  if (!last) return other
  if (isChord(last) && last.kwargs.body !== null && !isChord(other)) {
    const longer = isGroup(other) ? listSignature('chain', unchained(chain)) : chain
    last.kwargs.body = append(last.kwargs.body, other, options)
    return longer
  }
  if (isGroup(other) || !isGroup(last)) {
    const steps = unchained(chain)
    steps.push(other)
    return listSignature('chain', steps)
  }
  tasks.pop()
  const chord = chordSignature(last, other)
  const before = tasks.at(-1)
  if (before && isChord(before) && before.kwargs.body !== null) {
    before.kwargs.body = append(before.kwargs.body, chord, options)
  } else tasks.push(chord)
  return chain
}

function chained(first: Signature, next: Signature): Signature {
  return listSignature('chain', [first, ...(isChain(next) ? unchained(next) : [next])])
}

/** A chain's steps; the last gets the chain's callbacks, and each its error callbacks. Mirrors `unchain_tasks`. */
function unchained({ kwargs: { tasks }, options }: SignatureList): Signature[] {
  const last = tasks.at(-1)
  if (last) link(last, listOption(options, 'link'))
  const errbacks = listOption(options, 'link_error')
  if (errbacks.length > 0) for (const step of tasks) linkError(step, errbacks, { errorsOnHeader: false })
  return tasks
}
