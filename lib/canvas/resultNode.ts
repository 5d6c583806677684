import { isTuple } from '../protocol/groupResult.js'
import type { ResultTuple } from '../protocol/result.js'

/**
 * A future result, of a task or of a group. Its parent is the preceding result, and is set while a canvas is put
 * together.
 */
export interface ResultNode {
  readonly id: string
  parent: ResultNode | null
  /** The members of a group; null for a task. */
  readonly children: readonly ResultNode[] | null
}

/** The result of a task. */
export function taskNode(id: string): ResultNode {
  return { id, parent: null, children: null }
}

/** The result of a group. */
export function groupNode(id: string, children: readonly ResultNode[]): ResultNode {
  return { id, parent: null, children }
}

/** The first result of a line of parents. */
export function eldest(node: ResultNode): ResultNode {
  let first = node
  while (first.parent !== null) first = first.parent
  return first
}

/**
 * Generations of parents that are stored for a result. Each takes two levels of a text, and texts end at 1000: the
 * results of a long chain could not be stored otherwise. Readers see a shorter ancestry.
 */
export const STORED_GENERATIONS = 100

/**
 * Celery's tuple form. The parents of a long chain are visited in a loop: there may be more than a stack holds.
 * @param generations number of parents to keep, on the way to the deepest of them; by default all
 */
export function tupleOf(node: ResultNode, generations = Number.POSITIVE_INFINITY): ResultTuple {
  const line: ResultNode[] = []
  for (let at: ResultNode | null = node; at !== null && line.length <= generations; at = at.parent) line.push(at)
  // The members of a parent are that many generations away already.
  const members = (children: readonly ResultNode[], age: number): ResultTuple[] =>
    children.map((child) => tupleOf(child, generations - age))
  return line.reduceRight<ResultTuple | null>(
    (parent, { id, children }, age) => [[id, parent], children === null ? null : members(children, age)],
    null,
  ) as ResultTuple
}

/**
 * A tuple that a message has brought, with so many generations of parents and of members at most. What does not have the
 * form of a result is no parent: those who read the tuple could not go on there.
 */
export function shortened([[id, parent], children]: ResultTuple, generations = STORED_GENERATIONS): ResultTuple {
  const isEnd = generations <= 0
  return [
    [id, !isEnd && isTuple(parent) ? shortened(parent, generations - 1) : null],
    isEnd || !children ? null : children.map((child) => shortened(child, generations - 1)),
  ]
}
