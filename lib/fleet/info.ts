import type { Member } from './assignment.js'
import type { Change } from './changes.js'
import type { Phase } from './holder.js'

/** One queue's fleet, as this worker sees it: for `inspect fleet` and metrics. */
export interface FleetInfo {
  readonly queue: string
  /** Messages that wait to be moved to a lane. Like the depths of lanes, the worker with the mover knows it; null in the others. */
  readonly ready: number | null
  /** Of the last assignment that was heard. */
  readonly version: number
  readonly leader: string
  readonly members: readonly (Member & { readonly lanes: number })[]
  /** By number: who is to hold it, where it stands here, and the messages ready in it. */
  readonly lanes: readonly {
    readonly lane: number
    readonly holder: string | null
    readonly here: Phase
    readonly ready: number | null
  }[]
  /** When and why lanes were shared out in another way, latest first; the last 20. */
  readonly changes: readonly Change[]
  readonly mover: { readonly here: boolean; readonly moved: number; readonly trouble: string | null }
  /** The last change of the number of lanes that this worker has made, and how far it is; null for none. */
  readonly relayout: { readonly to: number; readonly step: string } | null
}
