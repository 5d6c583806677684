import type { CapturedEvent } from '../amqp/capture.js'
import { humanType } from './dumper.js'
import { pythonStr, pythonTime } from './pythonText.js'

/** Tasks and events that are remembered: more than any screen shows. */
const REMEMBERED = 500
/** Celery's: what is missing after two of its heartbeats counts as gone. */
const HEARTBEATS = 2
const DEFAULT_FREQ = 60

const STATES: Readonly<Record<string, string>> = {
  'task-sent': 'SENT',
  'task-received': 'RECEIVED',
  'task-started': 'STARTED',
  'task-succeeded': 'SUCCESS',
  'task-failed': 'FAILURE',
  'task-retried': 'RETRY',
  'task-revoked': 'REVOKED',
  'task-rejected': 'REJECTED',
}
const FINAL: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVOKED', 'REJECTED'])

interface WorkerRow {
  readonly name: string
  readonly active: string
  readonly processed: string
  readonly load: string
  /** Seconds since the epoch; null once it has said goodbye. */
  readonly expires: number | null
}

interface TaskRow {
  readonly id: string
  readonly name: string
  readonly worker: string
  readonly state: string
  readonly time: string
  readonly runtime: string
}

/** A line of the screen. */
export interface BoardLine {
  readonly text: string
  readonly heading: boolean
}

/** What the live view shows: the workers, the tasks that changed last, and the last events. */
export class Board {
  private readonly workers = new Map<string, WorkerRow>()
  private readonly tasks = new Map<string, TaskRow>()
  private readonly events: string[] = []
  private count = 0

  take(event: CapturedEvent): void {
    const type = pythonStr(event.type).toLowerCase()
    const time = pythonTime(Number(event.timestamp)).slice(11, 19)
    this.count++
    if (type.startsWith('worker-')) this.takeWorker(type, event)
    const task = type.startsWith('task-') ? this.takeTask(type, time, event) : null
    // A heartbeat every two seconds from each worker would leave room for nothing else.
    if (type === 'worker-heartbeat') return
    this.note(`${time} ${pythonStr(event.hostname)} ${humanType(type)}${task === null ? '' : ` ${task}`}`)
  }

  /** Puts a text of ours among the events. */
  note(text: string): void {
    this.events.unshift(text)
    this.events.length = Math.min(this.events.length, REMEMBERED)
  }

  /**
   * The screen's lines, none longer than it is wide, with nothing in them that could move the cursor.
   * @param now seconds since the epoch
   */
  lines({ columns, now, rows }: { columns: number; now: number; rows: number }): BoardLine[] {
    const workers = [...this.workers.values()].sort((a, b) => a.name.localeCompare(b.name))
    const online = workers.filter((worker) => isOnline(worker, now)).length
    const head = `celeriac events   ${online} of ${workers.length} workers online   ${this.count} events   q: quit`
    // What is left after four headings and three empty lines: a third at most for the workers, and the rest in halves.
    const room = Math.max(3, rows - 7)
    const shownWorkers = workers.slice(0, Math.max(1, Math.floor(room / 3)))
    const shownTasks = [...this.tasks.values()].reverse().slice(0, Math.floor((room - shownWorkers.length) / 2))
    const shownEvents = this.events.slice(0, room - shownWorkers.length - shownTasks.length)
    const width = Math.max(20, ...shownWorkers.map(({ name }) => name.length))
    const texts: Array<[heading: boolean, text: string]> = [
      [true, head],
      [false, ''],
      [true, `${'WORKER'.padEnd(width)}  STATUS   ACTIVE  PROCESSED  LOAD`],
      ...shownWorkers.map((worker): [boolean, string] => [false, workerText(worker, width, now)]),
      [false, ''],
      [true, `${'TASK'.padEnd(36)}  STATE     TIME      RUNTIME  NAME`],
      ...shownTasks.map((task): [boolean, string] => [false, taskText(task)]),
      [false, ''],
      [true, 'EVENTS'],
      ...shownEvents.map((text): [boolean, string] => [false, text]),
    ]
    return texts.slice(0, rows).map(([heading, text]) => ({ heading, text: printable(text).slice(0, columns) }))
  }

  private takeWorker(type: string, event: CapturedEvent): void {
    const name = pythonStr(event.hostname)
    const before = this.workers.get(name)
    const text = (value: unknown, known = ''): string => (value === undefined ? known : pythonStr(value))
    const freq = Number(event.freq ?? DEFAULT_FREQ)
    this.workers.set(name, {
      name,
      active: text(event.active, before?.active),
      processed: text(event.processed, before?.processed),
      load: Array.isArray(event.loadavg) ? event.loadavg.map(pythonStr).join(' ') : text(event.loadavg, before?.load),
      expires: type === 'worker-offline' ? null : Number(event.local_received) + freq * HEARTBEATS,
    })
  }

  /** @returns how the task is called in the list of events */
  private takeTask(type: string, time: string, event: CapturedEvent): string {
    const id = pythonStr(event.uuid)
    const before = this.tasks.get(id)
    const state = STATES[type] ?? type.slice('task-'.length).toUpperCase()
    // Events of a worker and of clients may overtake each other: an end stays the end, unless the task begins anew.
    const isLate = before !== undefined && FINAL.has(before.state) && !FINAL.has(state) && state !== 'RECEIVED'
    const row: TaskRow = {
      id,
      name: event.name === undefined ? (before?.name ?? '') : pythonStr(event.name),
      worker: pythonStr(event.hostname),
      state: isLate ? before.state : state,
      time,
      runtime: event.runtime === undefined ? (before?.runtime ?? '') : `${Number(event.runtime).toFixed(3)}s`,
    }
    this.tasks.delete(id)
    this.tasks.set(id, row)
    const [oldest] = this.tasks.keys()
    if (this.tasks.size > REMEMBERED && oldest !== undefined) this.tasks.delete(oldest)
    return `${row.name}(${id})`
  }
}

function isOnline({ expires }: WorkerRow, now: number): boolean {
  return expires !== null && now < expires
}

function workerText(worker: WorkerRow, width: number, now: number): string {
  const status = isOnline(worker, now) ? 'online' : 'offline'
  return `${worker.name.padEnd(width)}  ${status.padEnd(7)}  ${worker.active.padStart(6)}  ${worker.processed.padStart(9)}  ${worker.load}`
}

function taskText({ id, name, runtime, state, time, worker }: TaskRow): string {
  return `${id.padEnd(36)}  ${state.padEnd(8)}  ${time}  ${runtime.padStart(7)}  ${name} (${worker})`
}

function printable(text: string): string {
  return text.replace(/\p{C}/gu, ' ')
}
