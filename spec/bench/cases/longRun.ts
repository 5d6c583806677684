import { alternate, type Entrant } from '../alternate.js'
import { whenEmpty } from '../drain.js'
import type { Case } from '../findings.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'
import { type Stand, until } from '../stand.js'
import { atWork, type Workplace } from '../workplace.js'

const BATCH = 5000

export const longRun: Case = {
  name: 'long-run',
  title: 'resident memory over a long run of no-ops, 16 slots',
  async run(stand) {
    const [early, all] = stand.scale.quick ? [2000, 5000] : [10_000, 1_000_000]
    const name = `${all.toLocaleString('en')} tasks`
    const rounds = await alternate([byMemory(stand, name, early, all)], 1)
    return {
      rows: [
        { entrant: `after ${early.toLocaleString('en')} tasks`, unit: 'MB', ...rounds.of(name, 'first') },
        { entrant: `after ${name}`, unit: 'MB', ...rounds.of(name, 'last') },
        { entrant: 'most in between', unit: 'MB', ...rounds.of(name, 'most') },
      ],
      figures: [
        {
          what: `after ${name} / after ${early.toLocaleString('en')}`,
          label: 'memory after a long run: vs its beginning',
          unit: 'x',
          target: { atMost: 1.1 },
          ...rounds.of(name, 'growth'),
        },
      ],
      note: 'Garbage counts: what is resident at that moment.',
    }
  },
}

type Quantity = 'first' | 'last' | 'most' | 'growth'

function byMemory(stand: Stand, name: string, early: number, all: number): Entrant<Quantity> {
  return {
    name,
    measure: () =>
      atWork(stand, celeriac(['-c', '16', '-l', 'WARNING']), async (place) => {
        await run(stand, place, early)
        const first = place.worker.memoryMb()
        const between = await run(stand, place, all - early)
        const last = place.worker.memoryMb()
        return { first, last, most: Math.max(first, last, ...between), growth: last / first }
      }),
  }
}

/** Fills the queue while it drains, so that the worker never waits and the broker never holds much. @returns MB after each batch */
async function run(stand: Stand, place: Workplace, tasks: number): Promise<number[]> {
  const { desk, signal } = stand
  const readings: number[] = []
  const isLow = async (): Promise<boolean> => {
    place.worker.check()
    return (await desk.depth(place.queue)).ready < BATCH
  }
  for (let left = tasks; left > 0; left -= BATCH) {
    await until(isLow, { signal, what: 'the queue to become short', everyMs: 5 })
    await desk.fill(place.queue, noops()(Math.min(left, BATCH)))
    readings.push(place.worker.memoryMb())
  }
  await whenEmpty(stand, place)
  return readings
}
