import { pythonTime } from '../pythonText.js'
import type { CapturedEvent } from './capture.js'
import { keptText } from './keptText.js'

/** Tasks to keep: more than any screen shows. */
const REMEMBERED = 500

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
/** Fields that every event has, and that don't describe the task. */
const OF_THE_EVENT: ReadonlySet<string> = new Set(
  'type clock pid utcoffset timestamp local_received hostname uuid'.split(' '),
)

/** A task, as described by its events. */
export interface TaskRow {
  readonly id: string
  readonly name: string
  /** Node name of the worker or client that sent the last event. */
  readonly worker: string
  readonly state: string
  /** The time of the last event, `HH:MM:SS`. */
  readonly time: string
  readonly runtime: string
  /** The other fields of the task's events, as text: arguments, result, exception, traceback... */
  readonly fields: ReadonlyMap<string, string>
}

/** The tasks that changed last, and which of them is selected. */
export class TaskBook {
  private readonly tasks = new Map<string, TaskRow>()
  private chosen: string | null = null

  /** Records an event of a task. @returns what is known of the task now */
  take(type: string, event: CapturedEvent): TaskRow {
    const id = keptText(event.uuid)
    const before = this.tasks.get(id)
    const state = STATES[type] ?? keptText(type.slice('task-'.length).toUpperCase())
    // Events of workers and clients may overtake each other: a final state stays, unless the task starts again.
    const isLate = before !== undefined && FINAL.has(before.state) && !FINAL.has(state) && state !== 'RECEIVED'
    const row: TaskRow = {
      id,
      name: event.name === undefined ? (before?.name ?? '') : keptText(event.name),
      worker: keptText(event.hostname),
      state: isLate ? before.state : state,
      time: pythonTime(Number(event.timestamp)).slice(11, 19),
      runtime: event.runtime === undefined ? (before?.runtime ?? '') : `${Number(event.runtime).toFixed(3)}s`,
      fields: merged(before?.fields, event),
    }
    this.tasks.delete(id)
    this.tasks.set(id, row)
    for (const oldest of this.tasks.keys()) {
      if (this.tasks.size <= REMEMBERED) break
      // The selected task stays.
      if (oldest !== this.chosen) this.tasks.delete(oldest)
    }
    return row
  }

  get selected(): TaskRow | null {
    return (this.chosen === null ? undefined : this.tasks.get(this.chosen)) ?? null
  }

  /** Selects the next task below, or above; the topmost if none is selected. */
  select(by: 1 | -1): void {
    const ids = [...this.tasks.keys()].reverse()
    const at = this.chosen === null ? -1 : ids.indexOf(this.chosen)
    this.chosen = ids[at < 0 ? 0 : Math.min(Math.max(at + by, 0), ids.length - 1)] ?? null
  }

  /** The tasks that changed last, newest first; including the selected one. */
  latest(count: number): TaskRow[] {
    const rows = [...this.tasks.values()].reverse()
    const at = rows.findIndex(({ id }) => id === this.chosen)
    const first = Math.max(0, at - count + 1)
    return rows.slice(first, first + count)
  }
}

function merged(known: ReadonlyMap<string, string> | undefined, event: CapturedEvent): Map<string, string> {
  const fields = new Map(known)
  for (const [name, value] of Object.entries(event)) {
    if (OF_THE_EVENT.has(name) || value === undefined || value === null) continue
    fields.set(name, keptText(value))
  }
  return fields
}
