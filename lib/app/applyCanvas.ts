import { applySignature } from '../canvas/apply.js'
import type { CallParts } from '../canvas/merge.js'
import { tupleOf } from '../canvas/resultNode.js'
import type { Signature } from '../canvas/signature.js'
import type { ResultTuple } from '../protocol/result.js'
import { AppCanvasOutlet, type CanvasOutletOptions } from './canvasOutlet.js'

/** Sends a canvas of an app, and returns what stands for its result. */
export async function applyCanvas(sig: Signature, call: CallParts, options: CanvasOutletOptions): Promise<ResultTuple> {
  const node = await applySignature(sig, call, new AppCanvasOutlet(options))
  if (node === null) throw new TypeError(`${sig.task}: there is nothing in it that could be sent`)
  return tupleOf(node)
}
