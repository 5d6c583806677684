import type { ResultTuple } from './result.js'
import { DecodeError, readResult, writeResult } from './resultText.js'

/** The text that a store keeps of a group. Mirrors Celery's `_save_group`. */
export function encodeGroup(group: ResultTuple): string {
  return writeResult({ result: group })
}

/**
 * Reads what `encodeGroup` or any Celery wrote.
 * @throws DecodeError for what is no group
 */
export function decodeGroup(text: string): ResultTuple {
  const { result } = (readResult(text) ?? {}) as { result?: unknown }
  if (!isTuple(result)) throw new DecodeError('the saved value is not a group')
  return result
}

/** Whether a value has the form of a result and its children. A parent is not looked into: a chain has as many, one in the other, as steps. */
export function isTuple(value: unknown): value is ResultTuple {
  if (!Array.isArray(value) || !Array.isArray(value[0]) || typeof value[0][0] !== 'string') return false
  const [, children] = value
  return children === null || children === undefined || (Array.isArray(children) && children.every(isTuple))
}
