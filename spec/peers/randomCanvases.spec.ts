import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { type CanvasEnd, type CanvasRun, type End, runCanvases } from '../support/canvasRuns.js'
import { canvasWorkers } from '../support/canvasWorkers.js'
import { isCelery } from '../support/versions.js'
import { hasMemberOfMany, hasSteps, randomCanvas, spread } from './canvases.js'

const COUNT = Number(process.env.CELERIAC_SPEC_CANVASES ?? 20)
const CANVASES = Array.from({ length: COUNT }, (_, seed) => randomCanvas(new Random(`canvas ${seed}`)))
/** Celery 5.6 revokes the tasks of a group that is the body of a failed chord; before, as here, they fail with what it has failed with. */
const REVOKED = 'TaskRevokedError'
/** Celery 5.2 comes to faults of its own: it can't count a member that has no group index, for one. */
const FAULTS = [REVOKED, 'TypeError', 'TimeoutError', 'AttributeError', 'KeyError']
const isSound = (end: End | null): boolean => end !== null && !FAULTS.includes(end.error ?? '')
const isWhole = ({ ends, got }: CanvasEnd): boolean => isSound(got) && ends.every(isSound)

/** Celery gives all members of a chord that takes the place of a task the index of that task: in which order they come is chance. */
const HAS_ORDER = CANVASES.map((canvas) => !JSON.stringify(canvas).includes('canvas.replace'))
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]))
}

const IS_56 = isCelery(5, 6)
/** Of a chord, a group and a chord in a row, Celery 5.6 sends the last once for each task of the group: whose results its body gets is chance. */
const IS_CHANCE = CANVASES.map((canvas) => IS_56 && hasSteps(canvas, 'celery.chord', 'celery.group', 'celery.chord'))

/**
 * While Celery sends a group that a member of a header ends with, it says that the chord has no more members than that. If the first of the
 * group has ended by then, Python's worker waits forever for a number that is passed.
 */
const MAY_HANG = CANVASES.map(hasMemberOfMany)

interface Seen extends Pick<CanvasEnd, 'got' | 'ends'> {
  /** Which of its error callbacks were called. */
  readonly called: readonly boolean[]
}

describe("random canvases of Python's client", () => {
  const workers = canvasWorkers({ ours: [] })
  let alone: readonly CanvasEnd[]
  let ours: readonly CanvasEnd[]
  let spreads: ReadonlyArray<readonly CanvasEnd[]>

  beforeAll(async () => {
    const { queues } = workers()
    const randoms = [1, 2].map((seed) => new Random(`spread ${seed}`))
    const runs = [
      runOf(() => queues.python),
      runOf(() => queues.ours),
      ...randoms.map((random) => runOf(() => (random.chance(0.5) ? queues.ours : queues.python))),
    ]
    ;[alone, ours, ...spreads] = (await runCanvases(runs, workers())) as [readonly CanvasEnd[], readonly CanvasEnd[]]
  })

  function runOf(queueOf: () => string): CanvasRun {
    const ids: string[][] = []
    const canvases = CANVASES.map((canvas) => {
      const own: string[] = []
      ids.push(own)
      return spread(canvas, queueOf, own)
    })
    return { canvases, ids }
  }

  /** That they are the same, canvases that have come to their end among workers in Python. Ids are new each time. */
  function expectSame(seen: readonly CanvasEnd[], isKnown: (at: number) => boolean = () => true): void {
    const those = (run: readonly CanvasEnd[]): unknown[] =>
      run.flatMap(({ ends, got, watched }, at) => {
        const canvas: Seen = { got, ends, called: watched.map((end) => end !== null) }
        return isWhole(alone[at] as CanvasEnd) && !IS_CHANCE[at] && isKnown(at)
          ? [[at, HAS_ORDER[at] ? canvas : sorted(canvas)]]
          : []
      })
    const plain = (run: readonly CanvasEnd[]): unknown =>
      JSON.parse(JSON.stringify(those(run)).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))
    expect(plain(seen)).toEqual(plain(alone))
  }

  it('come to their end among workers in Python, but for a few', () => {
    expect(alone.filter(isWhole).length).toBeGreaterThan(COUNT * 0.7)
  })

  it('are revoked among workers in Python from 5.6 on alone', () => {
    // There, too, it is chance which of both is stored last, that a task is revoked or that it has failed.
    expect(JSON.stringify(alone).includes(REVOKED) && !IS_56).toBe(false)
  })

  it('come to the same end among ours, and each comes to one', () => {
    expectSame(ours)
    expect(ours.flatMap(({ ends }, at) => (ends.includes(null) ? [at] : []))).toEqual([])
  })

  it.each([1, 2])('come to the same end among both, spread at random: %i', (seed) => {
    const seen = spreads[seed - 1] as readonly CanvasEnd[]
    // Which of both is stored last, that a task is revoked or that it has failed, is chance.
    const isKnown = (at: number): boolean => !IS_56 || !JSON.stringify(seen[at]).includes(REVOKED)
    const hangs = (at: number): boolean => MAY_HANG[at] === true && seen[at]?.got.error === 'TimeoutError'
    expectSame(seen, (at) => isKnown(at) && !hangs(at))
  })
})
