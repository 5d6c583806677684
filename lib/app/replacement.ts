import { randomUUID } from 'node:crypto'
import { freeze } from '../canvas/freeze.js'
import { link, linkError, listOption } from '../canvas/links.js'
import { NO_LIMITS, parseSignatures } from '../canvas/parse.js'
import { pipeAll } from '../canvas/pipe.js'
import { isChain, type Signature } from '../canvas/signature.js'
import type { SignatureDict } from '../protocol/message.js'
import { asOneTask } from './asOneTask.js'

/** Thrown for a signature that can't replace a task. Python's class of the same name. */
export class ImproperlyConfigured extends TypeError {
  readonly excType = 'ImproperlyConfigured'
  readonly excModule = 'celery.exceptions'
}

/** The part of a task's request that its replacement takes over. */
export interface Replaced {
  readonly id: string
  readonly rootId: string
  readonly replyTo: string | null
  readonly group: string | null
  readonly groupIndex: number | null
  readonly callbacks: readonly SignatureDict[]
  readonly errbacks: readonly SignatureDict[]
  readonly chain: readonly SignatureDict[]
  readonly chord: SignatureDict | null
  readonly replacedTaskNesting: number
}

/**
 * The signature that is sent in place of a task: with its id and its callbacks, as the member of its chord, and before
 * the rest of its chain. A group at the end becomes a chord that returns the list of the group's results. Mirrors
 * Celery's `Task.replace`.
 * @throws ImproperlyConfigured
 */
export function replacementOf(given: Signature, task: Replaced): Signature {
  if (given.options.chord) throw new ImproperlyConfigured('A signature replacing a task must not be part of a chord')
  if (isChain(given) && given.kwargs.tasks.length === 0) {
    throw new ImproperlyConfigured('Cannot replace with an empty chain')
  }
  const sig = asOneTask(given)
  link(sig, parseSignatures(task.callbacks, 'callbacks', NO_LIMITS))
  linkError(sig, parseSignatures(task.errbacks, 'errbacks', NO_LIMITS), { errorsOnHeader: false })
  if (isChain(sig)) linkLast(sig.kwargs.tasks, sig)
  const nesting = { replaced_task_nesting: task.replacedTaskNesting + 1 }
  const { chord, group: group_id, groupIndex: group_index, rootId: root_id } = task
  // Its last task reports to the chord, however deep that is: as in a header, and unlike in Celery.
  const isMember = chord !== null && task.chain.length === 0
  const member = isMember ? { chord: chord as unknown as Signature, groupId: group_id, groupIndex: group_index } : {}
  freeze(sig, { id: task.id, ...member }, { newId: randomUUID, replyTo: task.replyTo, keepsGroups: false })
  Object.assign(sig.options, { chord, group_id, group_index, root_id, ...nesting })
  if (isChain(sig)) for (const step of sig.kwargs.tasks) Object.assign(step.options, nesting)
  const rest = parseSignatures([...task.chain].reverse(), 'chain', NO_LIMITS)
  for (const step of rest) Object.assign(step.options, nesting)
  return pipeAll(sig, rest)
}

/** The callbacks of a chain belong to its last step, even when more steps are added after it. */
function linkLast(steps: readonly Signature[], chain: Signature): void {
  const last = steps.at(-1)
  if (last) link(last, listOption(chain.options, 'link'))
  delete chain.options.link
}
