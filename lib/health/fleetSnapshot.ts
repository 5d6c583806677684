import type { FleetInfo } from '../fleet/info.js'
import { laneName } from '../fleet/laneOf.js'
import { clip } from './clip.js'
import { fleetReady } from './fleetMetrics.js'

/** The most fleets that are shown, and for each the most members, lanes and changes. */
const MOST = { fleets: 5, members: 50, lanes: 64, changes: 10 }

/** Provides the fleets of a worker and the depths of queues. */
export interface FleetSource {
  fleets(): readonly FleetInfo[]
  depthOf(queue: string): { readonly ready: number } | undefined
}

/** Returns the fleets of a worker as its page shows them, with the members and lanes of the last assignment. */
export function fleetsOf({ depthOf, fleets }: FleetSource) {
  return fleets()
    .slice(0, MOST.fleets)
    .map((fleet) => {
      const { changes, lanes, leader, members, mover, queue, ready, relayout } = fleet
      const name = new Map(members.map(({ id }) => [id, nameOf(id)]))
      return {
        queue: clip(queue),
        ready,
        /** Including all lanes; null in workers without the mover. */
        total: fleetReady(fleet),
        relayout: relayout === null ? null : { to: relayout.to, step: clip(relayout.step) },
        mover: { here: mover.here, moved: mover.moved, trouble: mover.trouble === null ? null : clip(mover.trouble) },
        members: {
          total: members.length,
          shown: members.slice(0, MOST.members).map(({ id, lanes: held, since, slots }) => ({
            id: clip(id),
            name: nameOf(id),
            slots,
            since,
            lanes: held,
            leads: id === leader,
          })),
        },
        lanes: {
          total: lanes.length,
          shown: lanes.slice(0, MOST.lanes).map(({ here, holder, lane }) => ({
            lane,
            holder: holder === null ? null : (name.get(holder) ?? nameOf(holder)),
            here,
            ready: depthOf(laneName(queue, lane))?.ready ?? null,
          })),
        },
        changes: changes.slice(0, MOST.changes).map(({ at, came, left, moves, version }) => ({
          at,
          version,
          moves,
          came: came.slice(0, MOST.members).map(nameOf),
          left: left.slice(0, MOST.members).map(nameOf),
        })),
      }
    })
}

/** Returns the node name of a member. In its id, a suffix tells one run of the worker from the next. */
function nameOf(id: string): string {
  return clip(id.slice(0, id.lastIndexOf('#')) || id)
}
