import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { type CanvasEnd, type CanvasRun, type End, runCanvases } from '../support/canvasRuns.js'
import { canvasWorkers } from '../support/canvasWorkers.js'
import { CELERY_FAULT } from '../support/versions.js'
import { type Dict, FORMS, mapTasks } from './canvases.js'

const sig = (task: string, options: Dict = {}): Dict => ({
  ...{ task, args: [], kwargs: {}, options, subtask_type: null, immutable: false },
})

const REFUSED = 'refused content'
/** What a task may come to but success. */
const KINDS: Readonly<Record<string, Dict>> = {
  'an exception': sig('canvas.fail'),
  'a time limit': sig('canvas.sleep', { time_limit: 1 }),
  'a lost process': sig('canvas.die'),
  'an unregistered task': sig('canvas.nobody'),
  [REFUSED]: { ...sig('canvas.join', { serializer: 'tagged' }), args: ['refused'] },
}
/** The others take long: minutes for all of them. */
const FORMS_OF_ALL_KINDS = process.env.CELERIAC_SPEC_FORMS === 'all' ? Object.keys(FORMS) : ['chain', 'chord']

/** A canvas in which one of the tasks fails, and each has an error callback of either style. */
interface Failing {
  readonly name: string
  readonly canvas: Dict
}

function* failing(): Generator<Failing> {
  for (const [form, canvas] of Object.entries(FORMS)) {
    if (form.includes('failure')) continue
    let tasks = 0
    mapTasks(canvas, (task) => {
      tasks++
      return task
    })
    for (let at = 0; at < tasks; at++) {
      for (const [kind, culprit] of Object.entries(KINDS)) {
        if (kind !== 'an exception' && !FORMS_OF_ALL_KINDS.includes(form)) continue
        let place = 0
        const errbacks = [sig('canvas.caught'), sig('canvas.told')]
        const made = mapTasks(canvas, (task) => ({ ...(place++ === at ? culprit : task), errbacks }))
        yield { name: `${kind} of task ${at + 1} of ${form}`, canvas: made }
      }
    }
  }
}

const CANVASES = [...failing()]

const NOTHING = 'nothing yet'
const shown = (end: End | null): string =>
  end === null ? NOTHING : end.error ? `${end.error}: ${end.text}` : JSON.stringify(end.value)

interface Seen {
  readonly name: string
  /** Of each task of it, and of their error callbacks. */
  readonly ends: readonly string[]
  /** What the error callbacks that are called in place were told. */
  readonly told: readonly string[]
  /** How often those that are sent were called. */
  readonly caught: readonly number[]
  /** Celery's main process failed over the end of a task: a body that is a chain has no id under which it could fail. */
  readonly isBroken: boolean
}

const BROKEN = "Pool callback raised exception: TypeError('sequence item 1"

describe("failures of each kind, at each position of each form of Python's client", () => {
  const workers = canvasWorkers({ ours: ['-P', 'prefork', '-c', '2'] })
  let alone: readonly Seen[]
  let ours: readonly Seen[]
  let both: readonly Seen[]

  beforeAll(async () => {
    const { queues } = workers()
    const random = new Random('spread')
    const sent = [() => queues.python, () => queues.ours, () => (random.chance(0.5) ? queues.ours : queues.python)].map(
      runOf,
    )
    const runs = await runCanvases(sent, workers())
    const output = workers()
      .programs.map((program) => program.output)
      .join('\n')
    ;[alone = [], ours = [], both = []] = runs.map((run, at) => seenIn(run, sent[at]?.ids ?? [], output))
  })

  function runOf(queueOf: () => string): CanvasRun {
    const ids: string[][] = []
    const canvases = CANVASES.map(({ canvas }) => {
      const own: string[] = []
      ids.push(own)
      const place = (task: Dict): Dict => {
        const task_id = randomUUID()
        own.push(task_id)
        return { ...task, options: { ...(task.options as Dict), queue: queueOf(), task_id } }
      }
      return mapTasks(canvas, place)
    })
    return { canvases, ids }
  }

  function seenIn(run: readonly CanvasEnd[], ids: CanvasRun['ids'], output: string): readonly Seen[] {
    const broken = output.split(/\n(?=\[\d{4}-)/).filter((line) => line.includes(BROKEN))
    return CANVASES.map(({ name }, at) => {
      const own = ids[at] ?? []
      // Ids are new each time, and so are the numbers of processes.
      const plain = (text: string): string =>
        text
          .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => (own.includes(id) ? `task ${own.indexOf(id)}` : 'ID'))
          .replace(/Job: \d+/, 'Job: N')
      const told = own.flatMap((id) => output.match(new RegExp(`TOLD ${id} .*`, 'g')) ?? [])
      return {
        name,
        ends: run[at]?.watched.map((end) => plain(shown(end))) ?? [],
        told: told.map(plain).sort(),
        caught: own.map((id) => output.split(`canvas.caught[${id}] received`).length - 1),
        isBroken: broken.some((text) => own.some((id) => text.includes(`Dependency ${id} raised`))),
      }
    })
  }

  it('are the same among ours, but that each is told once, and the last task comes to an end', () => {
    expect(ours.map((seen, at) => asAlone(seen, alone[at] as Seen))).toEqual(alone.map(inOnce))
    for (const { caught, told } of ours) {
      expect(told).toEqual([...new Set(told)])
      expect(Math.max(...caught)).toBeLessThan(2)
    }
    const waiting = ours.filter(({ ends, name }) => !name.startsWith(REFUSED) && ends.at(-1) === NOTHING)
    expect(waiting).toEqual([])
  })

  it('are the same where tasks are spread at random over a worker in Python and ours', () => {
    expect(both.map((seen, at) => asAlone(once(seen), alone[at] as Seen))).toEqual(alone.map(inOnce))
  })
})

function isFault({ ends, told }: Seen): boolean {
  return [...ends, ...told].some((text) => CELERY_FAULT.test(text))
}

/** Celery 5.2 tells of a time limit twice. */
function once(seen: Seen): Seen {
  return { ...seen, told: [...new Set(seen.told)], caught: seen.caught.map((times) => Math.min(times, 1)) }
}

function inOnce(seen: Seen): Seen | string {
  return isFault(seen) ? seen.name : once(seen)
}

/**
 * Without what has come to an end, and was told of, where workers in Python leave it waiting, or fail themselves: what is unregistered leads
 * to nothing there.
 */
function asAlone(seen: Seen, alone: Seen): Seen | string {
  if (isFault(alone)) return seen.name
  const isNews = (at: number): boolean =>
    alone.ends[at] === NOTHING || (alone.ends[at]?.startsWith('NotRegistered') ?? false)
  return {
    name: seen.name,
    ends: seen.ends.map((end, at) => (alone.ends[at] === NOTHING ? NOTHING : end)),
    told: seen.told.filter(
      (line) => alone.told.includes(line) || !(alone.isBroken || isNews(Number(line.split(' ')[2]))),
    ),
    caught: seen.caught.map((times, at) => (alone.ends[at] === NOTHING ? 0 : times)),
    isBroken: alone.isBroken,
  }
}
