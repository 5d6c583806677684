import { applySignature } from '../canvas/apply.js'
import { mayGoBetter } from '../canvas/chordPart.js'
import type { CallParts } from '../canvas/merge.js'
import { type ResultNode, tupleOf } from '../canvas/resultNode.js'
import type { Signature } from '../canvas/signature.js'
import type { ResultTuple } from '../protocol/result.js'
import { AppCanvasOutlet, type CanvasOutletOptions } from './canvasOutlet.js'

/**
 * Sends a canvas of an app, and returns its result handle.
 * @param joins the group of the chord that the canvas joins as one more member
 */
export async function applyCanvas(
  sig: Signature,
  call: CallParts,
  options: CanvasOutletOptions,
  joins?: string,
): Promise<ResultTuple> {
  const outlet = new AppCanvasOutlet(options)
  const node = await (joins === undefined ? applySignature(sig, call, outlet) : applyMember(sig, call, outlet, joins))
  if (node === null) throw new TypeError(`${sig.task}: there is nothing in it that could be sent`)
  return tupleOf(node)
}

/** Makes a chord wait for one more member, which is to be sent later. */
export function joinChord(groupId: string, options: CanvasOutletOptions): Promise<void> {
  return new AppCanvasOutlet(options).growChord(groupId, 1)
}

/**
 * The chord must know of the member before the member can end. If sending is refused for good, the chord is told that
 * no result will come.
 */
async function applyMember(
  sig: Signature,
  call: CallParts,
  outlet: AppCanvasOutlet,
  groupId: string,
): Promise<ResultNode | null> {
  await outlet.growChord(groupId, 1)
  try {
    return await applySignature(sig, call, outlet)
  } catch (thrown) {
    if (!mayGoBetter(thrown)) await outlet.growChord(groupId, -1)
    throw thrown
  }
}
