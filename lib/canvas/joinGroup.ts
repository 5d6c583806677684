import { decodeException } from '../protocol/exception.js'
import { PROPAGATE_STATES, READY_STATES, type ResultTuple } from '../protocol/result.js'

/** How a task has ended. */
export interface TaskEnd {
  readonly state: string
  /** The return value; an `ExceptionDict` unless the task has succeeded. */
  readonly result: unknown
}

/** How the task with that id has ended; null if it has not, or is unknown. */
export type EndOf = (id: string) => Promise<TaskEnd | null>

/** Thrown for a member of a group that has not ended. */
export class NotReadyError extends Error {
  readonly excType = 'TimeoutError'
  readonly excModule = 'celery.exceptions'

  constructor() {
    super('The operation timed out.')
  }
}

/** A member of a group that has failed. */
export interface Culprit {
  readonly id: string
  /** The member's error. */
  readonly error: Error
}

/** The ids of all tasks of a group, including nested groups. */
export function idsOf([[id], children]: ResultTuple): readonly string[] {
  return children === null || children === undefined ? [id] : children.flatMap(idsOf)
}

/** Whether all tasks of a group have ended. @throws what `endOf` throws */
export async function isReady(group: ResultTuple, endOf: EndOf): Promise<boolean> {
  for (const id of idsOf(group)) {
    const end = await endOf(id)
    if (end === null || !READY_STATES.has(end.state)) return false
  }
  return true
}

/**
 * The values of a group's members in their order, those of a nested group as a list. Mirrors Celery's
 * `GroupResult.join`.
 * @returns instead of the values, the first member that has failed, or has not ended
 * @throws what `endOf` throws
 */
export async function joinGroup(
  group: ResultTuple,
  endOf: EndOf,
): Promise<{ values: unknown[] } | { culprit: Culprit }> {
  const values: unknown[] = []
  for (const member of group[1] ?? []) {
    const [[id], children] = member
    if (children !== null && children !== undefined) {
      const inner = await joinGroup(member, endOf)
      if ('culprit' in inner) return inner
      values.push(inner.values)
      continue
    }
    const end = await endOf(id)
    if (end === null || !READY_STATES.has(end.state)) return { culprit: { id, error: new NotReadyError() } }
    if (PROPAGATE_STATES.has(end.state)) return { culprit: { id, error: decodeException(end.result) } }
    values.push(end.result)
  }
  return { values }
}
