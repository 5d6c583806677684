import { endsOf } from './chordBody.js'
import { cloneSignature, isChain, isChord, isGroup, type Signature, withEnd } from './signature.js'

/**
 * How many task ends a chord has to wait for because of one member of its header: for a group all its tasks, for a
 * chain its last step that has any, for a chord its body. Mirrors Celery's `_chord._descend`.
 */
export function leavesOf(sig: Signature): number {
  if (isGroup(sig)) return sig.kwargs.tasks.reduce((sum, task) => sum + leavesOf(task), 0)
  if (isChord(sig)) return sig.kwargs.body === null ? 0 : leavesOf(sig.kwargs.body)
  if (!isChain(sig)) return 1
  for (const task of [...sig.kwargs.tasks].reverse()) {
    const leaves = leavesOf(task)
    if (leaves > 0) return leaves
  }
  return 0
}

/**
 * A step of a chain as it is to be sent, or to fail. The header of a chord may have been sent by Celery: then a step
 * without an end is counted, and nobody else tells the chord that it is over.
 */
export function countedStep(step: Signature): Signature {
  if (leavesOf(step) > 0) return step
  const ended = withEnd(cloneSignature(step))
  return endsOf(ended).some(({ options }) => options.chord) ? ended : step
}
