import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { canvasWorkers, sendCanvases } from '../support/canvasWorkers.js'
import { CELERY_FAULT } from '../support/versions.js'
import { FORMS, spread } from './canvases.js'

const SECONDS = 60
const NAMES = Object.keys(FORMS)

interface Seen {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}

/** What one has come to, by its name. */
type Told = readonly [name: string | undefined, seen: Seen]

/** Ids are new each time. */
function told({ error, text, value }: Seen): Seen {
  return error ? { error, text: text?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID') ?? '' } : { value }
}

describe("each form of a canvas, sent by Python's client as it travels", () => {
  const workers = canvasWorkers({ ours: [] })
  let alone: Told[]
  let ours: Told[]
  let spreads: Told[][]

  beforeAll(async () => {
    const { python, ours: own } = workers().queues
    const randoms = [1, 2].map((seed) => new Random(`spread ${seed}`))
    const queues = [() => python, () => own, ...randoms.map((random) => () => (random.chance(0.5) ? own : python))]
    const sent = queues.flatMap((queueOf) => Object.values(FORMS).map((canvas) => spread(canvas, queueOf)))
    const lines = (await sendCanvases(sent, SECONDS)).trim().split('\n')
    expect(lines).toHaveLength(sent.length)
    const all = lines.map((line, at): Told => [NAMES[at % NAMES.length], told(JSON.parse(line))])
    const run = (at: number): Told[] => all.slice(at * NAMES.length, (at + 1) * NAMES.length)
    alone = run(0)
    ours = run(1)
    spreads = [run(2), run(3)]
  })

  const isFault = ([, end]: Told): boolean => CELERY_FAULT.test(JSON.stringify(end))
  const expectSame = (seen: readonly Told[]): void => {
    expect(seen.filter((_, at) => !isFault(alone[at] as Told))).toEqual(alone.filter((one) => !isFault(one)))
  }

  it('comes to its end among workers in Python', () => {
    expect(JSON.stringify(alone)).not.toContain('TimeoutError')
    expect(alone.filter(isFault).length).toBeLessThan(2)
  })

  it('comes to the same end among ours', () => {
    expectSame(ours)
    expect(ours.filter(isFault)).toEqual([])
  })

  it.each([1, 2])('comes to the same end among both, spread at random: %i', (seed) => {
    expectSame(spreads[seed - 1] as Told[])
  })
})
