import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { canvasWorkers, sendCanvases } from '../support/canvasWorkers.js'
import { isCelery } from '../support/versions.js'
import { randomCanvas, spread } from './canvases.js'

const COUNT = Number(process.env.CELERIAC_SPEC_CANVASES ?? 20)
/** What is known to end is waited for so long at most. */
const SECONDS = 60
/** Nobody knows yet what ends among workers in Python: it is over once nothing more has for so many seconds. */
const QUIET_SECONDS = 5
const CANVASES = Array.from({ length: COUNT }, (_, seed) => randomCanvas(new Random(`canvas ${seed}`)))
/** Of each error callback, which canvas it belongs to. */
const OWNERS = CANVASES.flatMap((canvas, at) => {
  const ids: string[] = []
  spread(canvas, () => '', ids)
  return ids.map(() => at)
})

interface End {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}
interface Canvas {
  /** What `get()` gives. */
  readonly got: End
  /** What each task of the result has come to; null for nothing yet. */
  readonly ends: ReadonlyArray<End | null>
}
interface Seen {
  readonly canvases: readonly Canvas[]
  /** Which of their error callbacks, in the order of the canvases, were called. */
  readonly errbacks: readonly number[]
}

/** Celery 5.6 revokes the tasks of a group that is the body of a failed chord; before, as here, they fail with what it has failed with. */
const REVOKED = 'TaskRevokedError'
/** Celery 5.2 comes to faults of its own: it can't count a member that has no group index, for one. */
const FAULTS = [REVOKED, 'TypeError', 'TimeoutError', 'AttributeError', 'KeyError']
const isSound = (end: End | null): boolean => end !== null && !FAULTS.includes(end.error ?? '')
const isWhole = ({ ends, got }: Canvas): boolean => isSound(got) && ends.every(isSound)

/** Celery gives all members of a chord that takes the place of a task the index of that task: in which order they come is chance. */
const HAS_ORDER = CANVASES.map((canvas) => !JSON.stringify(canvas).includes('canvas.replace'))
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]))
}

describe("random canvases of Python's client", () => {
  const workers = canvasWorkers()
  let alone: Seen

  beforeAll(async () => {
    alone = await run(() => workers().queues.python)
  })

  /** @param known what came of them before */
  async function run(queueOf: () => string, known?: Seen, isOurs = false): Promise<Seen> {
    const ids: string[] = []
    const canvases = CANVASES.map((canvas) => spread(canvas, queueOf, ids))
    const sure = {
      ends: known?.canvases.map(({ ends }) => ends.map((end) => isOurs || isSound(end))) ?? CANVASES.map(() => []),
      errbacks:
        known?.errbacks.filter((at) => isWhole(known.canvases[OWNERS[at] as number] as Canvas)).map((at) => ids[at]) ??
        [],
    }
    const asked = { canvases, sure, errbacks: ids, quiet: known ? 1 : QUIET_SECONDS }
    // Ids are new each time.
    const output = (await sendCanvases(asked, SECONDS, 'built')).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) =>
      ids.includes(id) ? String(ids.indexOf(id)) : 'ID',
    )
    const seen = JSON.parse(output) as Seen
    return { ...seen, errbacks: seen.errbacks.map(Number) }
  }

  /** That they are the same, canvases that have come to their end among workers in Python. */
  function expectSame(seen: Seen): void {
    const isKnown = (at: number): boolean => isWhole(alone.canvases[at] as Canvas)
    const those = ({ canvases, errbacks }: Seen) => ({
      canvases: canvases.flatMap((canvas, at) => (isKnown(at) ? [[at, HAS_ORDER[at] ? canvas : sorted(canvas)]] : [])),
      errbacks: errbacks.filter((errback) => isKnown(OWNERS[errback] as number)),
    })
    expect(those(seen)).toEqual(those(alone))
  }

  it('come to their end among workers in Python, but for a few', () => {
    expect(alone.canvases.filter(isWhole).length).toBeGreaterThan(COUNT * 0.7)
  })

  it('are revoked among workers in Python where they are the body of a failed chord, from 5.6 on', () => {
    expect(JSON.stringify(alone).includes(REVOKED)).toBe(isCelery(5, 6))
  })

  it('come to the same end among ours, and each comes to one', async () => {
    const seen = await run(() => workers().queues.ours, alone, true)
    expectSame(seen)
    expect(seen.canvases.flatMap((canvas, at) => (canvas.ends.includes(null) ? [at] : []))).toEqual([])
  })

  it.each([1, 2])('come to the same end among both, spread at random: %i', async (seed) => {
    const random = new Random(`spread ${seed}`)
    expectSame(await run(() => (random.chance(0.5) ? workers().queues.ours : workers().queues.python), alone))
  })
})
