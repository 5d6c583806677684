import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { type CanvasEnd, type CanvasRun, runCanvases } from '../support/canvasRuns.js'
import { canvasWorkers } from '../support/canvasWorkers.js'
import { chain, chord, type Dict, FORMS, failing, group, mapTasks, spread, task } from './canvases.js'

const { CELERIAC_SPEC_FORMS: whole } = process.env
const TRIED = whole === 'all' ? Object.keys(FORMS) : ['chain', 'chord']

const SIMPLE: Readonly<Record<string, Dict>> = {
  'a task': task('x'),
  'a failing task': failing(),
  'a chain': chain(task('x'), task('y')),
}
/** What takes the place of a task. */
const REPLACEMENTS: Readonly<Record<string, Dict>> = {
  ...(whole === 'all' ? SIMPLE : {}),
  'a failing chain': chain(failing(), task('y')),
  'a group': group(task('x'), task('y')),
  'a chord': chord([task('x'), task('y')], task('z')),
}

interface Replacing {
  readonly name: string
  readonly canvas: Dict
}

/** Canvases in which one of the tasks is replaced. */
function* replacing(): Generator<Replacing> {
  for (const form of TRIED.filter((form) => !form.includes('failure'))) {
    let tasks = 0
    const count = (task: Dict): Dict => {
      tasks++
      return task
    }
    mapTasks(FORMS[form] as Dict, count)
    for (let at = 0; at < tasks; at++) {
      for (const [what, replacement] of Object.entries(REPLACEMENTS)) {
        let place = 0
        const replace = { ...task(''), task: 'canvas.replace', args: [replacement], immutable: true }
        const canvas = mapTasks(FORMS[form] as Dict, (task) => (place++ === at ? replace : task))
        yield { name: `${what} for task ${at + 1} of ${form}`, canvas }
      }
    }
  }
}

const CANVASES = [...replacing()]

/** Celery gives all members of a chord that takes the place of a task the index of that task: in which order they come is chance. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]))
}

describe("a task of a canvas of Python's client that is replaced", () => {
  const workers = canvasWorkers({
    threads: ['-P', 'threads', '-c', '2'],
    prefork: ['-P', 'prefork', '-c', '2'],
  })
  let alone: readonly unknown[]
  let threads: readonly unknown[]
  let prefork: readonly unknown[]
  let all: readonly unknown[]

  beforeAll(async () => {
    const { queues } = workers()
    const random = new Random('spread')
    const any = Object.values(queues)
    const runs = [
      runOf(() => queues.python),
      runOf(() => queues.threads),
      runOf(() => queues.prefork),
      runOf(() => any[random.integer(0, any.length)] as string),
    ]
    ;[alone = [], threads = [], prefork = [], all = []] = (await runCanvases(runs, workers())).map(plain)
  })

  function runOf(queueOf: () => string): CanvasRun {
    return {
      canvases: CANVASES.map(({ canvas }) => spread(canvas, queueOf)),
      ids: CANVASES.map(() => []),
    }
  }

  /** Ids are new each time. */
  function plain(run: readonly CanvasEnd[]): readonly unknown[] {
    const text = JSON.stringify(run).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    return (JSON.parse(text) as CanvasEnd[]).map((end, at) => ({
      name: CANVASES[at]?.name,
      ...(sorted(end) as object),
    }))
  }

  /** Workers in Python 5.2 leave some forms waiting for ever, or can't count a member that has no group index. */
  const isWhole = (end: unknown): boolean => !/TimeoutError|TypeError|null/.test(JSON.stringify(end))
  function expectSame(seen: readonly unknown[]): void {
    const those = (run: readonly unknown[]): unknown[] => run.filter((_, at) => isWhole(alone[at]))
    expect(those(seen)).toEqual(those(alone))
  }

  it('comes to an end among workers in Python, but for a few', () => {
    expect(alone.filter(isWhole).length).toBeGreaterThan(CANVASES.length * 0.7)
  })

  it('comes to the same end where threads run it, and to one at all', () => {
    expectSame(threads)
    expect(threads.filter((end) => !isWhole(end))).toEqual([])
  })

  it('comes to the same end where child processes run it, and to one at all', () => {
    expectSame(prefork)
    expect(prefork.filter((end) => !isWhole(end))).toEqual([])
  })

  it('comes to the same end among all of these', () => {
    expectSame(all)
  })
})
