import type { FleetInfo } from '../../lib/fleet/info.js'

/** A fleet of two workers and four lanes, as the one with the mover sees it; `b` holds lane 3. */
export const FLEET: FleetInfo = {
  queue: 'builds',
  ready: 5,
  version: 2,
  leader: 'w@a#1',
  members: [
    { id: 'w@a#1', slots: 3, since: 1000, lanes: 3 },
    { id: 'w@b#2', slots: 1, since: 2000, lanes: 1 },
  ],
  lanes: [
    { lane: 0, holder: 'w@a#1', here: 'held', ready: 1 },
    { lane: 1, holder: 'w@a#1', here: 'held', ready: 2 },
    { lane: 2, holder: 'w@a#1', here: 'opening', ready: null },
    { lane: 3, holder: 'w@b#2', here: 'draining', ready: 4 },
  ],
  changes: [{ at: 3000, version: 2, moves: 1, came: ['w@b#2'], left: [] }],
  relayout: null,
  mover: { here: true, moved: 20, trouble: null },
}
