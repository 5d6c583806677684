import type { Member } from './assignment.js'
import type { Change } from './changes.js'
import type { Phase } from './holder.js'

/** The fleet of one queue, as this worker sees it: for `inspect fleet` and metrics. */
export interface FleetInfo {
  readonly queue: string
  /**
   * Messages that wait to be moved to a lane. Known, as are the depths of lanes, only to the worker with the mover;
   * null in the others.
   */
  readonly ready: number | null
  /** Version of the last assignment received. */
  readonly version: number
  readonly leader: string
  readonly members: readonly (Member & { readonly lanes: number })[]
  /** Lanes by number: who is to hold it, its phase here, and the messages ready in it. */
  readonly lanes: readonly {
    readonly lane: number
    readonly holder: string | null
    readonly here: Phase
    readonly ready: number | null
  }[]
  /** When and why the assignment changed, latest first; the last 20. */
  readonly changes: readonly Change[]
  readonly mover: { readonly here: boolean; readonly moved: number; readonly trouble: string | null }
  /** Last change of the number of lanes that this worker made, with its progress; null for none. */
  readonly relayout: { readonly to: number; readonly step: string } | null
}
