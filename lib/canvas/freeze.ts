import type { Kwargs } from '../protocol/message.js'
import { linkError } from './links.js'
import { cloneWith } from './merge.js'
import { eldest, groupNode, type ResultNode, taskNode } from './resultNode.js'
import {
  type ChordSignature,
  chordSignature,
  cloneSignature,
  isChain,
  isChord,
  isGroup,
  type Signature,
  type SignatureList,
  unrolled,
  withEnd,
} from './signature.js'
import { SignatureError } from './signatureError.js'

/** The outside facts that freezing needs. */
export interface FreezeSource {
  newId(): string
  /** The queue that waits for the results; null for none. */
  readonly replyTo: string | null
  /**
   * Whether a group of one at the end of a chain stays a group, whose result is a list. Celery turns it into a task.
   */
  readonly keepsGroups: boolean
}

/**
 * The fields that a signature gets. Fields that it has already stay, except `chord`, `rootId`, `parentId` and
 * `groupIndex`.
 */
export interface FreezeFields {
  readonly id?: string | null | undefined
  readonly groupId?: string | null | undefined
  /**
   * The chord's body that the signature reports to as a member of the header. The object itself is kept, because it
   * gets its id later.
   */
  readonly chord?: Signature | null | undefined
  readonly rootId?: string | null | undefined
  readonly parentId?: string | null | undefined
  readonly groupIndex?: number | null | undefined
}

/**
 * Assigns ids to a signature and all its parts, so that its results are known before it is sent. Writes into the
 * signature; freezing it again changes no id. Mirrors Celery's `freeze`.
 * @returns the result node: for a chain that of its last step, for a chord that of its body
 * @throws SignatureError for a chain without steps, a chord without a body
 */
export function freeze(sig: Signature, fields: FreezeFields, source: FreezeSource): ResultNode {
  if (isChain(sig)) return freezeChain(sig, fields, source)
  if (isGroup(sig)) return freezeGroup(sig, fields, source)
  if (isChord(sig)) return freezeChord(sig, fields, source)
  return freezeTask(sig, fields, source)
}

function freezeTask({ options }: Signature, fields: FreezeFields, source: FreezeSource): ResultNode {
  const { chord, groupId, groupIndex, parentId, rootId } = fields
  const given = options.task_id
  const id = typeof given === 'string' ? given : (fields.id ?? source.newId())
  options.task_id = id
  if (rootId) options.root_id = rootId
  if (parentId) options.parent_id = parentId
  if (source.replyTo !== null) options.reply_to ??= source.replyTo
  if (groupId) options.group_id ??= groupId
  if (chord) options.chord = chord
  if (groupIndex !== null && groupIndex !== undefined) options.group_index = groupIndex
  return taskNode(id)
}

function freezeChain(sig: SignatureList, fields: FreezeFields, source: FreezeSource): ResultNode {
  const { results } = prepareSteps(sig.kwargs.tasks, { ...fields, args: sig.args, clone: false }, source)
  const [last] = results
  if (!last) throw new SignatureError('a chain', 'without tasks has no result')
  // The failure of a header is stored under this id. Celery's own differs if the last step has one already.
  if (last.children === null) sig.options.task_id = last.id
  return last
}

/** Nested groups are flattened into a list of the group's own. */
export function freezeGroup(sig: SignatureList, fields: FreezeFields, source: FreezeSource): ResultNode {
  const { options, kwargs } = sig
  const { chord, groupId, groupIndex } = fields
  const given = options.task_id
  const id = typeof given === 'string' ? given : (groupId ?? source.newId())
  options.task_id = id
  if (groupId) options.group_id = groupId
  if (chord) options.chord = chord
  if (groupIndex !== null && groupIndex !== undefined) options.group_index = groupIndex
  if (fields.rootId) options.root_id ??= fields.rootId
  if (fields.parentId) options.parent_id ??= fields.parentId
  const inherited = {
    groupId,
    chord,
    rootId: (options.root_id ?? null) as string | null,
    parentId: (options.parent_id ?? null) as string | null,
  }
  const left = [...kwargs.tasks].reverse()
  const tasks: Signature[] = []
  const results: ResultNode[] = []
  for (let next = left.pop(); next; next = left.pop()) {
    const task = cloneSignature(next)
    // In reverse, as in Celery: results of a header are in this order.
    if (isGroup(task)) for (const inner of task.kwargs.tasks) left.push(inner)
    else {
      const member = chord ? withEnd(task) : task
      results.push(freeze(member, { ...inherited, groupIndex: tasks.length }, source))
      tasks.push(member)
    }
  }
  kwargs.tasks = tasks
  return groupNode(id, results)
}

function freezeChord(sig: ChordSignature, fields: FreezeFields, source: FreezeSource): ResultNode {
  const { header, body } = sig.kwargs
  const { chord, groupId, groupIndex, id, parentId, rootId } = fields
  if (body === null) throw new SignatureError('a chord', 'needs a body')
  const headerNode = freezeGroup(header, { parentId, rootId, chord: body }, source)
  sig.options.task_id = headerNode.id
  const bodyNode = freeze(body, { id, rootId, chord, groupId, groupIndex }, source)
  eldest(bodyNode).parent = headerNode
  return bodyNode
}

/** How the steps of a chain are prepared. */
export interface StepFields extends FreezeFields {
  /** Arguments before those of the first step. */
  readonly args: readonly unknown[]
  readonly kwargs?: Kwargs | undefined
  /** Called with the failure of any step. */
  readonly linkErrors?: readonly Signature[]
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader?: boolean
  /** Whether to leave the steps themselves unchanged. */
  readonly clone: boolean
}

/**
 * Prepares the steps of a chain for sending: nested chains are flattened, a group before a step becomes the header of a
 * chord, and all get their ids. Mirrors Celery's `_chain.prepare_steps`.
 * @returns the steps, the last one first, as in messages, and the result node of each
 */
export function prepareSteps(
  steps: readonly Signature[],
  fields: StepFields,
  source: FreezeSource,
): { tasks: Signature[]; results: ResultNode[] } {
  const { args, clone, errorsOnHeader = false, kwargs, linkErrors = [], rootId } = fields
  const left = [...steps]
  const tasks: Signature[] = []
  const results: ResultNode[] = []
  let isLast = true
  for (let step = left.pop(); step; step = left.pop()) {
    const isFirst = left.length === 0
    let task = isLast && source.keepsGroups ? step : unrolled(step)
    if (clone) task = isFirst ? cloneWith(task, { args, kwargs }) : cloneSignature(task)
    else if (isFirst && args.length > 0) task.args = [...args, ...task.args]
    if (isChain(task)) {
      for (const inner of task.kwargs.tasks) left.push(inner)
      continue
    }
    const body = isGroup(task) ? tasks.pop() : undefined
    if (body) {
      const bodyNode = results.pop()
      const options = bodyNode?.children === null ? { task_id: bodyNode.id } : {}
      task = chordSignature(task as SignatureList, body, { ...options, ...(rootId ? { root_id: rootId } : {}) })
    }
    const result = freeze(task, isLast ? fields : { rootId }, source)
    isLast = false
    const next = results.at(-1)
    if (next) {
      const first = eldest(next)
      if (first !== result) first.parent = result
    }
    linkError(task, linkErrors, { errorsOnHeader })
    tasks.push(task)
    results.push(result)
  }
  return { tasks, results }
}
