import { randomUUID } from 'node:crypto'
import { type BenchMessage, taskMessage } from './message.js'

/** Tasks that a worker sends on, all because of one message. */
export interface Workflow {
  readonly message: BenchMessage
  /** Ids of the tasks whose results are there when all of it has run. */
  readonly ends: readonly string[]
}

/** A signature as Python's client writes it, with its ids. */
interface Frozen {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
  readonly subtask_type: string | null
  readonly immutable: boolean
}

/** So many tasks, one after the other. */
export function chainOf(length: number, queue: string): Workflow {
  const steps = Array.from({ length: length - 1 }, () => noop({ task_id: randomUUID(), queue }))
  // The last step comes first.
  return { message: followedBy(steps.toReversed()), ends: steps.slice(-1).map(idOf) }
}

/** A task that is followed by so many at once. */
export function groupOf(members: number, queue: string): Workflow {
  const id = randomUUID()
  const tasks = membersOf(members, { queue })
  return {
    message: followedBy([listOf(tasks, { task_id: id, root_id: null, parent_id: null })]),
    ends: tasks.map(idOf),
  }
}

/** A task that is followed by so many at once, and one with the results of all. */
export function chordOf(members: number, queue: string): Workflow {
  const id = randomUUID()
  const body = { ...noop({ task_id: randomUUID(), queue }), immutable: false, args: [] }
  const header = listOf(membersOf(members, { queue, chord: body }), {
    task_id: id,
    chord: body,
    root_id: null,
    parent_id: null,
  })
  const chord: Frozen = {
    task: 'celery.chord',
    args: [],
    kwargs: { kwargs: {}, header, body },
    options: { task_id: id },
    subtask_type: 'chord',
    immutable: false,
  }
  return { message: followedBy([chord]), ends: [idOf(body)] }
}

function followedBy(chain: readonly Frozen[]): BenchMessage {
  return taskMessage('bench.noop', [1, 2], {}, { chain })
}

function membersOf(count: number, options: Frozen['options']): Frozen[] {
  return Array.from({ length: count }, (_, group_index) => noop({ task_id: randomUUID(), ...options, group_index }))
}

function noop(options: Frozen['options']): Frozen {
  return { task: 'bench.noop', args: [1, 2], kwargs: {}, options, subtask_type: null, immutable: true }
}

function listOf(tasks: readonly Frozen[], options: Frozen['options']): Frozen {
  return { task: 'celery.group', args: [], kwargs: { tasks }, options, subtask_type: 'group', immutable: false }
}

function idOf({ options }: Frozen): string {
  return String(options.task_id)
}
