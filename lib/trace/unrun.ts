import { listOption } from '../canvas/links.js'
import { isChain, isChord, isGroup, type Signature, type SignatureOptions } from '../canvas/signature.js'

/** A task, or a group, that was to run and never will. */
export interface Unrun {
  readonly id: string
  readonly options: SignatureOptions
  /** True if it counts in the chord that its options name. */
  readonly counts: boolean
  /** The call, unless it is a group or another workflow. */
  readonly call?: Pick<Signature, 'args' | 'kwargs' | 'task'>
}

/**
 * Yields what fails together with a signature that can no longer be sent: the signature by its id, the members of a
 * group, the body of a chord, and what was to follow. Celery 5.6 fails only the first, and clients that wait for the
 * others wait forever.
 */
export function* failedWith(sig: Signature): Generator<Unrun> {
  const { options } = sig
  const isTask = sig.subtask_type === null
  if (typeof options.task_id === 'string')
    yield { id: options.task_id, options, counts: isTask, ...(isTask ? { call: sig } : {}) }
  if (isGroup(sig)) for (const task of sig.kwargs.tasks) yield* failedWith(task)
  if (isChain(sig)) for (const task of sig.kwargs.tasks) yield* failedWith(task)
  if (isChord(sig) && sig.kwargs.body !== null) yield* failedWith(sig.kwargs.body)
  for (const step of listOption(options, 'chain')) yield* failedWith(step)
}
