import { element, figure, setText, timeOf } from './format.js'

/** Texts for the phase of a lane in this worker; a lane that it has nothing to do with has none. */
const HERE = { opening: 'asked for', held: 'held here', draining: 'being handed over', closing: 'being handed over' }

/** Fills the section on the fleet; hidden in a worker without one. */
export function showFleets({ fleets }) {
  element('fleet').hidden = fleets.length === 0
  if (fleets.length === 0) return
  setText(element('fleet-facts'), fleets.map(factsOf).join(' '))
  const rows = (list) => fleets.flatMap((fleet) => list(fleet, fleets.length > 1 ? fleet.queue : ''))
  element('fleet-members').show(rows(memberRows))
  element('fleet-lanes').show(rows(laneRows))
  element('fleet-changes').show(rows(changeRows))
}

function factsOf({ lanes, members, mover, queue, ready, relayout, total }) {
  const change = relayout === null ? '' : ` Change to ${figure(relayout.to)} lanes: ${relayout.step}.`
  const shared = `${queue}: ${figure(members.total)} workers share ${figure(lanes.total)} lanes.${change}`
  if (mover.trouble !== null) return `${shared} Messages are not moved to the lanes: ${mover.trouble}.`
  if (!mover.here) return `${shared} Another worker moves the messages to the lanes, and shows the depths of all.`
  const depths = total === null ? '' : `, ${figure(ready)} wait for that, ${figure(total)} with those in the lanes`
  return `${shared} This worker moves the messages to the lanes: ${figure(mover.moved)} so far${depths}.`
}

function memberRows({ members }, queue) {
  return members.shown.map(({ id, lanes, leads, name, since, slots }) => ({
    id: `${queue} ${id}`,
    cells: [
      { text: name, note: [leads ? 'shares the lanes out' : '', queue].filter(Boolean).join(', ') },
      figure(lanes),
      figure(slots),
      { text: timeOf(since), at: since },
    ],
  }))
}

function laneRows({ lanes }, queue) {
  return lanes.shown.map(({ here, holder, lane, ready }) => ({
    id: `${queue} ${lane}`,
    cells: [
      { text: String(lane), note: queue },
      { text: holder ?? 'nobody', note: HERE[here] ?? '', tone: holder === null ? 'warn' : undefined },
      ready === null ? '–' : figure(ready),
    ],
  }))
}

function changeRows({ changes }, queue) {
  return changes.map(({ at, came, left, moves, version }) => ({
    id: `${queue} ${version} ${at}`,
    cells: [{ text: timeOf(at), at }, figure(moves), { text: reasonOf(came, left), note: queue }],
  }))
}

function reasonOf(came, left) {
  const parts = [
    ...(came.length > 0 ? [`${came.join(', ')} started`] : []),
    ...(left.length > 0 ? [`${left.join(', ')} stopped or was lost`] : []),
  ]
  return parts.length > 0 ? parts.join('; ') : 'To even out the shares'
}
