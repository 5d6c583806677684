import { stopQueue, stopTask, unblock } from './actions.js'
import { duration, element, figure, setText, timeOf } from './format.js'

/** Texts for the controller's reasons; an unknown one is shown unchanged. */
const REASONS = {
  backlog: 'To clear the backlog in time',
  arrivals: 'To keep up with what arrives',
  idle: 'Not needed any more',
  steady: 'Enough for the load',
  sharing: 'Other workers take their share',
  bounds: 'The limits of the autoscaler',
}

/** Texts for why there are no more slots although more are wanted. */
const BRAKES = {
  bounds: 'No more: the limit is reached',
  sharing: 'No more: other workers take their share',
  'saturated-loop': 'No more: the event loop is full',
  'breaker-open': 'No more: a breaker is open',
  memory: 'No more: memory is short',
}

/** Figures that explain a decision, in this order. */
const DETAILS = {
  depth: (value) => `${figure(value)} waiting`,
  ratePerSecond: (value) => `${figure(value)}/s arrive`,
  serviceMs: (value) => `${duration(value)} each`,
  need: (value) => `need ${figure(value)}`,
}

/** Texts for why messages were rejected; an unknown reason is shown unchanged. */
const REJECTED = {
  rejected: 'By the task, or by an internal error during the run',
  unregistered: 'No task of this name',
  'order-key': 'The order key could not be determined',
  deliveries: 'Delivered too often',
}

const BREAKER_TONES = { closed: 'good', 'half-open': 'warn', open: 'bad' }

/** Fills the tables. */
export function showLists({ breakers, controls, decisions, failures, lanes, queues, rejected, running, tasks }) {
  const can = (command, action) => (controls.includes(command) ? action : undefined)
  element('decisions').show(decisions.map(decisionRow))
  element('queues').show(queues.map((queue) => queueRow(queue, can)))
  element('breakers').show(breakers.map(breakerRow))
  element('running').show(running.shown.map((task) => taskRow(task, can)))
  setText(element('running-count'), counted(running))
  element('lanes').show(lanes.shown.map((lane) => laneRow(lane, can)))
  setText(element('lanes-count'), counted(lanes))
  element('tasks').show(tasks.shown.map(countsRow))
  setText(element('tasks-count'), counted(tasks))
  element('rejected').show(Object.entries(rejected).map(rejectedRow))
  element('failures').show(failures.map(failureRow))
}

function counted({ shown, total }) {
  return shown.length < total ? `${figure(total)}, of which ${figure(shown.length)} are shown` : figure(total)
}

function decisionRow({ at, detail, from, heldBack, reason, slots }) {
  const details = Object.entries(DETAILS).flatMap(([name, text]) => (name in detail ? [text(detail[name])] : []))
  return {
    id: `${at} ${slots} ${reason}`,
    cells: [
      { text: timeOf(at), at },
      from === null || from === slots ? figure(slots) : `${figure(from)} → ${figure(slots)}`,
      {
        text: (heldBack ? BRAKES : REASONS)[reason] ?? reason,
        note: details.join(', '),
        tone: heldBack ? 'warn' : undefined,
      },
    ],
  }
}

function queueRow({ clipped, consumers, fleet, name, oldestMs, parked, ready }, can) {
  const stop = { label: 'Stop…', name: `Stop consuming from ${name}`, run: () => stopQueue(name) }
  return {
    id: name,
    cells: [
      name,
      ready === null ? '–' : figure(ready),
      oldestMs ? duration(oldestMs) : '–',
      { text: figure(consumers), note: fleet === null ? '' : `${figure(fleet)} in all workers` },
      figure(parked),
    ],
    action: clipped ? undefined : can('cancel_consumer', stop),
  }
}

function breakerRow({ lastError, name, opens, state }) {
  return {
    id: name,
    cells: [{ text: name, note: lastError }, { text: state, tone: BREAKER_TONES[state] }, figure(opens)],
  }
}

function taskRow({ clipped, id, key, retries, runsMs, task }, can) {
  const stop = { label: 'Stop…', name: `Stop ${task} ${id}`, run: () => stopTask(task, id) }
  return {
    id,
    cells: [
      { text: task, note: id },
      { text: key ?? '–', note: retries > 0 ? `retry ${retries}` : '' },
      duration(runsMs),
    ],
    action: clipped ? undefined : can('revoke', stop),
  }
}

function laneRow({ ageMs, blocked, clipped, depth, head, key }, can) {
  const action = { label: 'Unblock…', name: `Unblock ${key}`, run: () => unblock(key) }
  return {
    id: key,
    cells: [
      key,
      figure(depth),
      depth === 0 ? '–' : duration(ageMs),
      {
        text: blocked ? 'blocked' : (head?.state ?? 'behind another key'),
        note: head?.task,
        tone: blocked ? 'bad' : head?.state === 'retry' ? 'warn' : undefined,
      },
    ],
    action: blocked && !clipped ? can('unblock', action) : undefined,
  }
}

function countsRow({ failed, name, p50Ms, p95Ms, runs }) {
  const time = (ms) => (ms === null ? '–' : duration(ms))
  return {
    id: name,
    cells: [
      name,
      figure(runs),
      { text: figure(failed), tone: failed > 0 ? 'bad' : undefined },
      time(p50Ms),
      time(p95Ms),
    ],
  }
}

function rejectedRow([reason, count]) {
  return { id: reason, cells: [REJECTED[reason] ?? reason, figure(count)] }
}

function failureRow({ at, exception, id, key, task, traceback }) {
  return {
    id: `${at} ${id}`,
    cells: [
      { text: timeOf(at), at },
      { text: task, note: key === null ? id : `${id}, ${key}` },
      { text: exception, more: traceback ? { title: 'Traceback', text: traceback } : undefined },
    ],
  }
}
