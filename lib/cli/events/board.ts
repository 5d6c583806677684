import { pythonStr, pythonTime } from '../pythonText.js'
import type { CapturedEvent } from './capture.js'
import { humanType } from './dumper.js'
import { keptText } from './keptText.js'
import { TaskBook, type TaskRow } from './taskBook.js'

/** Events to keep: more than any screen shows. */
const REMEMBERED = 500
/** Workers to keep: names made of pods or processes are never seen again. */
const MOST_WORKERS = 5000
/** A node's mailbox is a queue, whose name is no longer. */
const LONGEST_NODENAME = 255
/** Celery's rule: a worker whose last two heartbeats are missing counts as offline. */
const HEARTBEATS = 2
const DEFAULT_FREQ = 60
/**
 * A whole UUID on a wide terminal; elsewhere enough to tell two apart. The selected one is shown in full at the top.
 */
const [WHOLE_ID, SHORT_ID, WIDE] = [36, 10, 140]
const KEYS = 'j:down k:up i:info t:traceback r:result c:revoke l:rate limit q:quit'

interface WorkerRow {
  readonly name: string
  readonly active: string
  readonly processed: string
  readonly load: string
  /** Seconds since the epoch; null once the worker has gone offline. */
  readonly expires: number | null
}

/** A line of the screen. */
export interface BoardLine {
  readonly text: string
  readonly heading: boolean
  readonly selected?: boolean
}

/**
 * The content of the live view: the workers, the tasks that changed last, and the last events, or the reply about the
 * selected task.
 */
export class Board {
  readonly tasks = new TaskBook()
  /** The text shown in place of the events. */
  panel: { readonly title: string; readonly text: string } | null = null
  /** The text that is being typed, with its question; shown at the top. */
  prompt: string | null = null
  /** Those heard of last are last. */
  private readonly workers = new Map<string, WorkerRow>()
  private readonly events: string[] = []
  private count = 0

  take(event: CapturedEvent): void {
    const type = pythonStr(event.type).toLowerCase()
    this.count++
    if (type.startsWith('worker-')) this.takeWorker(type, event)
    const task = type.startsWith('task-') ? this.tasks.take(type, event) : null
    // A heartbeat every two seconds from each worker would leave no room for anything else.
    if (type === 'worker-heartbeat') return
    const time = pythonTime(Number(event.timestamp)).slice(11, 19)
    const about = task === null ? '' : ` ${task.name}(${task.id})`
    this.note(`${time} ${pythonStr(event.hostname)} ${humanType(type)}${about}`)
  }

  /** Adds a text of ours to the events. */
  note(text: string): void {
    this.events.unshift(keptText(text))
    this.events.length = Math.min(this.events.length, REMEMBERED)
  }

  /**
   * The screen's lines, none longer than it is wide, with nothing in them that could move the cursor.
   * @param now seconds since the epoch
   */
  lines({ columns, now, rows }: { columns: number; now: number; rows: number }): BoardLine[] {
    const workers = [...this.workers.values()].sort((a, b) => a.name.localeCompare(b.name))
    const online = workers.filter((worker) => isOnline(worker, now)).length
    const { panel, tasks } = this
    const { selected } = tasks
    const head = `celeriac events   ${online} of ${workers.length} workers online   ${this.count} events`
    const about = selected ? `Selected: ${selected.id}   ${KEYS}` : KEYS
    // The rows left after five headings and three empty lines: at most a third for the workers, and the rest in halves.
    const room = Math.max(3, rows - 8)
    const shownWorkers = workers.slice(0, Math.max(1, Math.floor(room / 3)))
    const shownTasks = tasks.latest(Math.floor((room - shownWorkers.length) / 2))
    const left = room - shownWorkers.length - shownTasks.length
    const shown = panel ? wrapped(panel.text, columns, left) : this.events.slice(0, left)
    const width = Math.max(20, ...shownWorkers.map(({ name }) => name.length))
    const ids = columns >= WIDE ? WHOLE_ID : SHORT_ID
    const heading = (text: string): BoardLine => ({ text, heading: true })
    const plain = (text: string): BoardLine => ({ text, heading: false })
    const lines = [
      heading(head),
      heading(this.prompt ?? about),
      plain(''),
      heading(`${'WORKER'.padEnd(width)}  STATUS   ACTIVE  PROCESSED  LOAD`),
      ...shownWorkers.map((worker) => plain(workerText(worker, width, now))),
      plain(''),
      heading(`${'TASK'.padEnd(ids)}  STATE     TIME      RUNTIME  NAME`),
      ...shownTasks.map((task) => ({ ...plain(taskText(task, ids)), selected: task.id === selected?.id })),
      plain(''),
      heading(panel ? `${panel.title}   (Esc: back)` : 'EVENTS'),
      ...shown.map(plain),
    ]
    return lines.slice(0, rows).map((line) => ({ ...line, text: printable(line.text).slice(0, columns) }))
  }

  private takeWorker(type: string, event: CapturedEvent): void {
    const name = keptText(event.hostname, LONGEST_NODENAME)
    const before = this.workers.get(name)
    const text = (value: unknown, known = ''): string => (value === undefined ? known : keptText(value))
    const freq = Number(event.freq ?? DEFAULT_FREQ)
    this.workers.delete(name)
    this.workers.set(name, {
      name,
      active: text(event.active, before?.active),
      processed: text(event.processed, before?.processed),
      load: Array.isArray(event.loadavg)
        ? keptText(event.loadavg.map(pythonStr).join(' '))
        : text(event.loadavg, before?.load),
      expires: type === 'worker-offline' ? null : Number(event.local_received) + freq * HEARTBEATS,
    })
    for (const oldest of this.workers.keys()) {
      if (this.workers.size <= MOST_WORKERS) break
      this.workers.delete(oldest)
    }
  }
}

function isOnline({ expires }: WorkerRow, now: number): boolean {
  return expires !== null && now < expires
}

function workerText(worker: WorkerRow, width: number, now: number): string {
  const status = isOnline(worker, now) ? 'online' : 'offline'
  return `${worker.name.padEnd(width)}  ${status.padEnd(7)}  ${worker.active.padStart(6)}  ${worker.processed.padStart(9)}  ${worker.load}`
}

function taskText({ id, name, runtime, state, time, worker }: TaskRow, ids: number): string {
  return `${abbreviated(id, ids)}  ${state.padEnd(8)}  ${time}  ${runtime.padStart(7)}  ${name} (${worker})`
}

function abbreviated(id: string, width: number): string {
  return id.length > width ? `${id.slice(0, width - 2)}..` : id.padEnd(width)
}

/** As many lines of a text as there is room for, each at most as wide as the screen. */
function wrapped(text: string, columns: number, room: number): string[] {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    for (let at = 0; at === 0 || at < line.length; at += columns) {
      if (lines.length >= room) return lines
      lines.push(line.slice(at, at + columns))
    }
  }
  return lines
}

function printable(text: string): string {
  return text.replace(/\p{C}/gu, ' ')
}
