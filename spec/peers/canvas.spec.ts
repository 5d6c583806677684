import { beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { canvasWorkers, sendCanvases } from '../support/canvasWorkers.js'
import { FORMS, spread } from './canvases.js'

const SECONDS = 60
const NAMES = Object.keys(FORMS)

interface Seen {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}

/** Ids are new each time. */
function told({ error, text, value }: Seen): Seen {
  return error ? { error, text: text?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID') ?? '' } : { value }
}

describe("each form of a canvas, sent by Python's client as it travels", () => {
  const workers = canvasWorkers()
  let alone: [string | undefined, Seen][]

  beforeAll(async () => {
    alone = await run(() => workers().queues.python)
  })

  /** What each has come to, by its name. */
  async function run(queueOf: () => string): Promise<[string | undefined, Seen][]> {
    const sent = Object.values(FORMS).map((canvas) => spread(canvas, queueOf))
    const lines = (await sendCanvases(sent, SECONDS)).trim().split('\n')
    expect(lines).toHaveLength(sent.length)
    return lines.map((line, at) => [NAMES[at], told(JSON.parse(line))])
  }

  /** Among workers in Python that of a canvas is a fault of Celery's own: 5.2 can't count a member that has no group index. */
  const isFault = ([, { error }]: [unknown, Seen]): boolean => error === 'TypeError'
  const expectSame = (seen: [unknown, Seen][]): void => {
    expect(seen.filter((_, at) => !isFault(alone[at] as [unknown, Seen]))).toEqual(alone.filter((one) => !isFault(one)))
  }

  it('comes to its end among workers in Python', () => {
    expect(JSON.stringify(alone)).not.toContain('TimeoutError')
    expect(alone.filter(isFault).length).toBeLessThan(2)
  })

  it('comes to the same end among ours', async () => {
    const seen = await run(() => workers().queues.ours)
    expectSame(seen)
    expect(seen.filter(isFault)).toEqual([])
  })

  it.each([1, 2])('comes to the same end among both, spread at random: %i', async (seed) => {
    const random = new Random(`spread ${seed}`)
    expectSame(await run(() => (random.chance(0.5) ? workers().queues.ours : workers().queues.python)))
  })
})
