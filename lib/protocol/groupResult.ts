import type { ResultTuple } from './result.js'
import { DecodeError, readResult, writeResult } from './resultText.js'

/** Encodes a group for a store. Mirrors Celery's `_save_group`. */
export function encodeGroup(group: ResultTuple): string {
  return writeResult({ result: group })
}

/**
 * Decodes what `encodeGroup` or any Celery wrote.
 * @throws DecodeError if the text is not a group
 */
export function decodeGroup(text: string): ResultTuple {
  const { result } = (readResult(text) ?? {}) as { result?: unknown }
  if (!isTuple(result)) throw new DecodeError('the saved value is not a group')
  return result
}

/**
 * Returns whether a value has the form of a result and its children. A parent is not checked: a chain has as many
 * nested ones as steps.
 */
export function isTuple(value: unknown): value is ResultTuple {
  if (!Array.isArray(value) || !Array.isArray(value[0]) || typeof value[0][0] !== 'string') return false
  const [, children] = value
  return children === null || children === undefined || (Array.isArray(children) && children.every(isTuple))
}
