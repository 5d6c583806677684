import type { ResultTuple } from '../protocol/result.js'

/** A result that there will be: of a task, or of a group. Its parent is what came before it, and is filled in while a canvas is put together. */
export interface ResultNode {
  readonly id: string
  parent: ResultNode | null
  /** The members of a group; null of a task. */
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

/** The first one of its line: what it all began with. */
export function eldest(node: ResultNode): ResultNode {
  let first = node
  while (first.parent !== null) first = first.parent
  return first
}

/** Celery's tuple form. The parents of a long chain are gone through in a loop: there may be more than a stack holds. */
export function tupleOf(node: ResultNode): ResultTuple {
  const line: ResultNode[] = []
  for (let at: ResultNode | null = node; at !== null; at = at.parent) line.push(at)
  return line.reduceRight<ResultTuple | null>(
    (parent, { id, children }) => [[id, parent], children === null ? null : children.map(tupleOf)],
    null,
  ) as ResultTuple
}
