import { movesBetween } from './assignment.js'
import type { Table } from './roster.js'

/** Number of changes that are remembered. */
const MOST = 20

/** A change in the assignment of lanes. */
export interface Change {
  /** Wall-clock milliseconds at which this worker heard of it. */
  readonly at: number
  /** Version of the assignment. */
  readonly version: number
  /** Lanes that changed from one worker to another. */
  readonly moves: number
  /** Ids of the members that caused it. If both lists are empty, the shares were evened out. */
  readonly came: readonly string[]
  readonly left: readonly string[]
}

/** Remembers why lanes changed hands lately. */
export class Changes {
  private readonly all: Change[] = []

  /** Latest first. */
  get latest(): readonly Change[] {
    return [...this.all].reverse()
  }

  /** Records that a table replaced another one. A table with the same assignment is not a change. */
  note(before: Table, after: Table, at: number): void {
    const { lanes, members, version } = after
    const moves = movesBetween(before.lanes, lanes)
    const came = missing(members, before.members)
    const left = missing(before.members, members)
    const isFilled = lanes.some((id, lane) => id !== before.lanes[lane])
    if (!isFilled && came.length === 0 && left.length === 0) return
    this.all.push({ at, version, moves, came, left })
    if (this.all.length > MOST) this.all.shift()
  }
}

function missing(members: Table['members'], from: Table['members']): string[] {
  return members.filter(({ id }) => !from.some((other) => other.id === id)).map(({ id }) => id)
}
