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

/** Celery's tuple form. The parents of a long chain are visited in a loop: there may be more than a stack holds. */
export function tupleOf(node: ResultNode): ResultTuple {
  const line: ResultNode[] = []
  for (let at: ResultNode | null = node; at !== null; at = at.parent) line.push(at)
  return line.reduceRight<ResultTuple | null>(
    (parent, { id, children }) => [[id, parent], children === null ? null : children.map(tupleOf)],
    null,
  ) as ResultTuple
}
