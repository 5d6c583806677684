import { showActions } from './actions.js'
import './chart.js'
import './dialog.js'
import { showFleets } from './fleets.js'
import { announce, duration, element, figure, setText, timeOf } from './format.js'
import { showLists } from './lists.js'
import './search.js'
import './table.js'

const POLL_MS = 1000
const LONGEST_POLL_MS = 5000
const SAMPLES = 600
/** Start times that differ by more than this belong to two processes. */
const SAME_START_MS = 2000

const chart = document.querySelector('slot-chart')
let history = null
let startedAt = null
let lastAnswer = null
let delayMs = POLL_MS
let timer = null

async function poll() {
  try {
    const since = history?.at.at(-1) ?? 0
    const options = { cache: 'no-store', signal: AbortSignal.timeout(LONGEST_POLL_MS) }
    const response = await fetch(`/api/snapshot?since=${since}`, options)
    if (!response.ok) throw new Error(`the worker answered ${response.status}`)
    const snapshot = await response.json()
    delayMs = POLL_MS
    if (isAnother(snapshot)) {
      history = null
      delayMs = 0
    } else show(snapshot)
  } catch (thrown) {
    lost(thrown)
    delayMs = Math.min(delayMs * 2, LONGEST_POLL_MS)
  }
  timer = document.hidden ? null : setTimeout(poll, delayMs)
}

/** Returns whether the worker was restarted: then the samples requested with `since` are not all that it has. */
function isAnother({ at, worker }) {
  const started = at - worker.uptimeMs
  const restarted = startedAt !== null && Math.abs(started - startedAt) > SAME_START_MS
  startedAt = started
  return restarted && history !== null
}

function show(snapshot) {
  document.body.classList.remove('stale')
  lastAnswer = Date.now()
  const { history: added } = snapshot
  history = Object.fromEntries(
    Object.entries(added).map(([column, values]) => [
      column,
      [...(history?.[column] ?? []), ...values].slice(-SAMPLES),
    ]),
  )
  showWorker(snapshot)
  showTiles(snapshot)
  const changes = snapshot.decisions.filter(({ heldBack }) => !heldBack)
  if (history.at.length > 0) chart.show(history, changes, snapshot.autoscales ? snapshot.slots.max : null)
  showLists(snapshot)
  showFleets(snapshot)
  showActions(snapshot)
}

function lost(thrown) {
  document.body.classList.add('stale')
  showState('bad', lastAnswer === null ? 'No answer' : `No answer since ${timeOf(lastAnswer)}`)
  setText(element('facts'), thrown.message)
  announce('The worker does not answer.')
}

function showState(tone, text) {
  const pill = element('state')
  pill.dataset.tone = tone
  setText(pill, text)
}

function showWorker({ ready, reasons, worker }) {
  const { nodename, pid, uptimeMs, version } = worker
  setText(element('nodename'), nodename)
  setText(element('version'), version)
  setText(element('facts'), `up ${duration(uptimeMs)}, process ${pid}`)
  document.title = `${ready ? '' : '(not ready) '}${nodename} · Celeriac`
  showState(ready ? 'good' : 'bad', ready ? 'Ready' : 'Not ready')
  const list = element('reasons')
  list.hidden = ready
  setText(list, reasons.map((reason) => `${reason[0]?.toUpperCase()}${reason.slice(1)}.`).join(' '))
  announce(ready ? 'The worker is ready.' : `The worker is not ready: ${reasons.join('; ')}.`)
}

function showTiles({ autoscales, load, parked, queues, slots, totals, waiting, worker }) {
  const latest = (column) => history[column].at(-1) ?? 0
  const kinds = Object.entries(parked).filter(([, count]) => count > 0)
  const oldest = Math.max(0, ...queues.map(({ oldestMs }) => oldestMs ?? 0))
  const tiles = {
    slots: [figure(slots.size), `${figure(slots.busy)} busy${autoscales ? `, ${slots.min} to ${slots.max}` : ''}`],
    waiting: [figure(waiting), oldest > 0 ? `oldest ${duration(oldest)}` : ''],
    parked: [
      figure(kinds.reduce((sum, [, count]) => sum + count, 0)),
      kinds.map(([kind, count]) => `${kind} ${figure(count)}`).join(', ') || 'for order, time or rate',
    ],
    load: [load.toFixed(2), 'above 1: not enough slots'],
    received: [`${figure(latest('received'))}/s`, `${figure(totals.received)} in all`],
    done: [`${figure(latest('done'))}/s`, `${figure(totals.succeeded ?? 0)} succeeded`],
    failed: [`${figure(latest('failed'))}/s`, `${figure(totals.failed ?? 0)} in all`],
    loop: [`${Math.round(latest('loop') * 100)} %`, `${figure(Math.round(worker.memory / 1024 / 1024))} MiB`],
  }
  for (const [name, [value, note]] of Object.entries(tiles)) {
    setText(document.querySelector(`[data-tile="${name}"]`), value)
    setText(document.querySelector(`[data-note="${name}"]`), note)
  }
}

element('range').addEventListener('change', ({ target }) => {
  chart.rangeMs = Number(target.value)
})

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && timer === null) void poll()
})

void poll()
