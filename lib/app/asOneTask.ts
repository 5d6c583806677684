import { pipe } from '../canvas/pipe.js'
import { cloneSignature, isChain, isChord, isGroup, type Signature, taskSignature } from '../canvas/signature.js'

/**
 * Returns a copy that ends with a single task: a group at its end becomes a chord that returns the list of the group's
 * results.
 */
export function asOneTask(given: Signature): Signature {
  if (!endsWithGroup(given)) return cloneSignature(given)
  return pipe(given, taskSignature('celery.accumulate', [], { index: 0 }))
}

function endsWithGroup(sig: Signature): boolean {
  if (isGroup(sig)) return true
  const last = isChord(sig) ? sig.kwargs.body : isChain(sig) ? sig.kwargs.tasks.at(-1) : null
  return last ? endsWithGroup(last) : false
}
