import { printable } from '../../protocol/printable.js'
import { pythonStr, pythonTime } from '../pythonText.js'

/** The most tasks whose names are remembered, the oldest forgotten first. */
const REMEMBERED = 4095

const HUMAN_TYPES: Readonly<Record<string, string>> = {
  'worker-offline': 'shutdown',
  'worker-online': 'started',
  'worker-heartbeat': 'heartbeat',
}

/** An event's type in words: `task received`, `heartbeat`. */
export function humanType(type: string): string {
  return HUMAN_TYPES[type] ?? type.replaceAll('-', ' ')
}

/**
 * Writes events as text, one after another, as Celery's `events --dump`. Control characters are escaped; only a
 * traceback has several lines.
 */
export class Dumper {
  /** Task names by the id of the task. */
  private readonly tasks = new Map<string, string>()

  format(event: Readonly<Record<string, unknown>>): string {
    const { hostname, timestamp, type: given, ...rest } = event
    const type = text(given).toLowerCase()
    const start = `${text(hostname)} [${pythonTime(Number(timestamp))}] ${humanType(type)}`
    if (!type.startsWith('task-')) return `${start}${fieldsOf(rest, null)}`
    const { uuid, ...fields } = rest
    const id = text(uuid)
    if (type !== 'task-received' && type !== 'task-sent') return `${start}${fieldsOf(fields, this.tasks.get(id) ?? '')}`
    const { args, kwargs, name, ...others } = fields
    const task = `${text(name)}(${id}) args=${text(args)} kwargs=${text(kwargs)}`
    this.remember(id, task)
    return `${start}${fieldsOf(others, task)}`
  }

  private remember(id: string, task: string): void {
    this.tasks.delete(id)
    this.tasks.set(id, task)
    const [oldest] = this.tasks.keys()
    if (this.tasks.size > REMEMBERED && oldest !== undefined) this.tasks.delete(oldest)
  }
}

function fieldsOf(event: Readonly<Record<string, unknown>>, task: string | null): string {
  const fields = Object.keys(event)
    .sort()
    .map((key) => `${printable(key)}=${text(event[key], key === 'traceback')}`)
    .join(', ')
  return `${fields === '' ? '' : ':'} ${task === null ? '' : `${task} `}${fields}`
}

function text(value: unknown, lines = false): string {
  return printable(pythonStr(value), { lines })
}
