import { canvasMessage } from './canvasMessage.js'
import { freeze, freezeGroup, prepareSteps } from './freeze.js'
import { leavesOf } from './leaves.js'
import { link as addLink, linkError, listOption } from './links.js'
import { type CallParts, cloneWith, merge, mergeOptions, replaceOptions } from './merge.js'
import type { CanvasOutlet } from './outlet.js'
import { eldest, groupNode, type ResultNode, taskNode } from './resultNode.js'
import { checkErrbacks, checkGroups, checkSentSize } from './sentSize.js'
import {
  type ChordSignature,
  cloneSignature,
  isChain,
  isChord,
  isGroup,
  type Signature,
  type SignatureList,
  type SignatureOptions,
} from './signature.js'
import { SignatureError } from './signatureError.js'
import { Unconfirmed } from './unconfirmed.js'

/**
 * Sends a signature of any kind: a task, a chain's first step, a group's members, a chord's header, in Celery's order.
 * The signature may be frozen by this, and must not be sent again. Mirrors `Signature.apply_async` and related methods.
 * @returns the result node; null for an empty chain
 * @throws SignatureError, and what the outlet throws; messages that were sent before stay sent
 */
export function applySignature(sig: Signature, call: CallParts, outlet: CanvasOutlet): Promise<ResultNode | null> {
  if (sig.subtask_type === null) return applyTask(sig, call, outlet)
  return new Unconfirmed(outlet).within((outlet) => apply(sig, call, outlet))
}

function apply(sig: Signature, call: CallParts, outlet: CanvasOutlet): Promise<ResultNode | null> {
  if (isChain(sig)) return applyChain(sig, call, outlet)
  if (isGroup(sig)) return applyGroup(sig, call, outlet)
  if (isChord(sig)) return applyChord(sig, call, outlet)
  return applyTask(sig, call, outlet)
}

async function applyTask(sig: Signature, call: CallParts, outlet: CanvasOutlet): Promise<ResultNode> {
  const merged = merge(sig, call)
  checkSentSize(sig.task, merged.options, outlet.mostSignatures)
  const message = canvasMessage(sig.task, merged, () => outlet.newId())
  await outlet.send(message)
  const node = taskNode(message.id)
  if (merged.options.add_to_parent !== false) outlet.sent?.(node)
  return node
}

async function applyChain(sig: SignatureList, call: CallParts, outlet: CanvasOutlet): Promise<ResultNode | null> {
  const { args = [], kwargs, options = {} } = call
  // The first step has no parent of its own: its parent is the sender.
  const {
    task_id,
    group_id,
    group_index,
    chord,
    root_id,
    parent_id: _,
    link,
    link_error,
    chain,
    ...others
  } = replaceOptions(sig.options, given(options))
  const linkErrors = listOption({ link_error }, 'link_error')
  checkErrbacks(sig.kwargs.tasks, linkErrors, outlet.mostSignatures)
  checkGroups(sig.kwargs.tasks, outlet.mostSignatures)
  const { tasks, results } = prepareSteps(
    sig.kwargs.tasks,
    {
      args: args.length > 0 && !sig.immutable ? [...args, ...sig.args] : sig.args,
      kwargs,
      id: textOf(task_id),
      groupId: textOf(group_id),
      groupIndex: typeof group_index === 'number' ? group_index : null,
      chord: (chord ?? null) as Signature | null,
      rootId: textOf(root_id),
      linkErrors,
      errorsOnHeader: outlet.errorsOnHeader,
      clone: true,
    },
    outlet,
  )
  const first = tasks.at(-1)
  const [last] = tasks
  if (!first || !last) return null
  if (tasks.some(isChord)) outlet.ensureChords()
  const callbacks = listOption({ link }, 'link')
  if (isGroup(last)) last.options.link = [...listOption(last.options, 'link'), ...callbacks]
  else addLink(last, callbacks)
  tasks.pop()
  const rest = chain === undefined || chain === null ? tasks : [...(chain as Signature[]), ...tasks]
  const sent = await apply(first, { options: { ...others, chain: rest } }, outlet)
  return tasks.length === 0 ? sent : (results[0] ?? null)
}

async function applyGroup(
  sig: SignatureList,
  call: CallParts,
  outlet: CanvasOutlet,
  isHeader = false,
): Promise<ResultNode> {
  const { args } = call
  for (const name of ['link', 'link_error']) {
    if (call.options?.[name])
      throw new SignatureError(`a group's options.${name}`, 'belongs to its tasks, or to a chord')
  }
  if (sig.kwargs.tasks.length === 0) return freeze(sig, {}, outlet)
  const {
    task_id,
    group_index: _,
    chord: ownChord,
    add_to_parent,
    ...options
  } = mergeOptions(sig.options, call.options ?? {})
  const groupId = textOf(task_id) ?? outlet.newId()
  // A group at the end of a member of a header: the sender of the header has counted its tasks, too.
  const isCounted = !isHeader && sig.options.group_id === groupId
  const members = [...membersOf(sig, { groupId, rootId: textOf(options.root_id) }, outlet)]
  let size = 0
  for (const [at, [member]] of members.entries()) {
    size += leavesOf(member)
    const chord = ownChord ?? member.options.chord ?? null
    if (chord !== null && at === members.length - 1 && !isCounted) await outlet.setChordSize(groupId, size)
    await apply(member, { args, options: { ...options, group_id: groupId, chord, add_to_parent: false } }, outlet)
  }
  let result = groupNode(
    groupId,
    members.map(([, node]) => node),
  )
  const [only] = result.children ?? []
  if (!outlet.keepsGroups && members.length === 1 && only && only.children !== null) result = only
  if (add_to_parent !== false) outlet.sent?.(result)
  return result
}

/** The members of a group and of nested groups, ready to be sent. Each group counts its own from 0. */
function* membersOf(
  sig: SignatureList,
  fields: { readonly groupId: string; readonly rootId: string | null },
  outlet: CanvasOutlet,
): Generator<readonly [Signature, ResultNode]> {
  for (const [groupIndex, task] of sig.kwargs.tasks.entries()) {
    if (isGroup(task)) yield* membersOf(task, fields, outlet)
    else {
      const member = cloneSignature(task)
      yield [member, freeze(member, { ...fields, groupIndex }, outlet)]
    }
  }
}

async function applyChord(sig: ChordSignature, call: CallParts, outlet: CanvasOutlet): Promise<ResultNode> {
  const { args = [], kwargs = {} } = call
  if (sig.kwargs.body === null) throw new SignatureError('a chord', 'needs a body')
  outlet.ensureChords()
  const { task_id: askedId, link: _, link_error: __, ...options } = given(call.options ?? {})
  const { task_id: ownId, link: ___, link_error: ____, ...own } = given(sig.options)
  const merged = replaceOptions(own, options)
  const header = cloneSignature(sig.kwargs.header) as SignatureList
  const body = cloneWith(sig.kwargs.body, { options })
  for (const from of [sig.options, call.options ?? {}]) {
    addLink(body, listOption(from, 'link'))
    linkError(body, listOption(from, 'link_error'), outlet)
  }
  // A frozen chord has the id of its header; before that it may have one that is meant for the body.
  const isFrozen = textOf(body.options.task_id) !== null
  const groupId = textOf(header.options.task_id) ?? (isFrozen ? textOf(ownId) : null) ?? outlet.newId()
  const bodyId = textOf(askedId) ?? (ownId === groupId ? null : textOf(ownId)) ?? outlet.newId()
  const rootId = textOf(body.options.root_id)
  body.options = replaceOptions(body.options, merged)
  const result = freeze(body, { id: bodyId, groupId, rootId }, outlet)
  header.options = {}
  const headerNode = freezeGroup(header, { groupId, chord: body, rootId }, outlet)
  if (header.kwargs.tasks.length === 0) {
    await apply(body, { args: [[]] }, outlet)
    eldest(result).parent = headerNode
    return result
  }
  await outlet.startChord(headerNode, body)
  // The steps after the body do not apply to the header, and neither does the chord that the body itself is part of.
  const { chain: _____, chord: ______, ...inherited } = merged
  const partial = args.length > 0 && !sig.immutable ? [...args, ...sig.args] : sig.args
  const asked = {
    args: partial,
    kwargs: { ...sig.kwargs.kwargs, ...kwargs },
    options: { ...inherited, task_id: groupId },
  }
  eldest(result).parent = await applyGroup(header, asked, outlet, true)
  return result
}

function given(options: SignatureOptions): SignatureOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== undefined))
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
