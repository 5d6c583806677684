import { randomUUID } from 'node:crypto'
import { freeze } from '../canvas/freeze.js'
import { leavesOf } from '../canvas/leaves.js'
import type { Signature } from '../canvas/signature.js'
import type { SignatureDict } from '../protocol/message.js'
import { asOneTask } from './asOneTask.js'
import { ImproperlyConfigured } from './replacement.js'

/** The part of a task's request that says which chord the task is a member of. */
export interface Member {
  readonly rootId: string
  readonly group: string | null
  readonly groupIndex: number | null
  readonly chord: SignatureDict | null
}

/** One more member of a chord, ready to be sent. */
export interface AddedMember {
  readonly sig: Signature
  readonly groupId: string
}

/**
 * Makes a signature one more member of the chord that a task is in: it gets the task's place in the header. A signature
 * that ends in several tasks returns the list of their results, so that it counts as one member. Mirrors Celery's
 * `Task.add_to_chord`.
 * @throws RangeError, Python's ValueError, without a chord; ImproperlyConfigured for an empty chain
 */
export function addedMember(given: Signature, { chord, group, groupIndex, rootId }: Member): AddedMember {
  if (chord === null || group === null) throw new RangeError('Current task is not member of any chord')
  const sig = asOneTask(given)
  if (leavesOf(sig) === 0) throw new ImproperlyConfigured('Cannot add an empty workflow to a chord')
  // Its last task reports to the chord, however deep that is.
  const fields = { chord: chord as unknown as Signature, groupId: group, groupIndex }
  freeze(sig, fields, { newId: randomUUID, replyTo: null, keepsGroups: true })
  Object.assign(sig.options, { chord, group_id: group, group_index: groupIndex, root_id: rootId })
  return { sig, groupId: group }
}
