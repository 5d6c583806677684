import { existsSync, readFileSync } from 'node:fs'
import { alternate, type Entrant } from '../alternate.js'
import { warmUp, whenEmpty } from '../drain.js'
import type { Case } from '../findings.js'
import { taskMessage } from '../message.js'
import { celeriac } from '../rivals/celeriac.js'
import { later, noops, series } from '../sources.js'
import { type Stand, until } from '../stand.js'
import { atWork, type Workplace } from '../workplace.js'

/*
 * The messages are due within `worker_eta_memory_limit`, so the worker holds all of them. It is asked for its resident memory by a task,
 * which collects the garbage first: a message that is parked is not what was thrown away while it was read.
 */

/** Below `worker_eta_memory_limit`, and longer than the case takes. */
const DUE_MS = 550_000
/** So that each wait is a short one. */
const BATCH = 10_000
/** Readings one after the other that differ by less are the same. */
const SETTLED = 0.005

/** In a case; a worker that still changes then is no answer. */
const MOST_READINGS = 60

export const parked: Case = {
  name: 'parked',
  title: 'memory of parked messages (ETA within the memory limit)',
  async run(stand) {
    const count = stand.scale.quick ? 10_000 : 100_000
    const name = `${count.toLocaleString('en')} parked`
    const rounds = await alternate([byParked(stand, name, count)], stand.scale.rounds)
    return {
      rows: [
        { entrant: 'before', unit: 'MB', ...rounds.of(name, 'before') },
        { entrant: name, unit: 'MB', ...rounds.of(name, 'after') },
      ],
      figures: [
        {
          what: 'a parked message',
          label: 'memory of a parked message',
          unit: 'bytes',
          target: { atMost: 1500 },
          ...rounds.of(name, 'bytes'),
        },
      ],
      note: 'Resident, without garbage. worker_parked_limit lets all of them in.',
    }
  },
}

function byParked(stand: Stand, name: string, count: number): Entrant<'before' | 'after' | 'bytes'> {
  const { desk, scale, signal } = stand
  const launch = celeriac(['-c', '16', '-l', 'WARNING'], { CELERY_WORKER_PARKED_LIMIT: String(2 * count) })
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place) => {
        await warmUp(stand, place, noops()(scale.warmUp))
        const before = await settledMemory(stand, place)
        for (let left = count; left > 0; left -= BATCH) {
          await desk.fill(place.queue, later(DUE_MS)(Math.min(left, BATCH)))
          await whenEmpty(stand, place)
        }
        const after = await settledMemory(stand, place)
        await place.worker.end()
        // The broker gives back what the worker held, and nothing that was put elsewhere; the last question may be among it.
        const isBack = async (): Promise<boolean> => (await desk.depth(place.queue)).ready >= count
        await until(isBack, { signal, what: `all ${count} messages to come back`, everyMs: 100 })
        return { before: before / 1e6, after: after / 1e6, bytes: (after - before) / count }
      }),
  }
}

/** What stays resident, in bytes, once it has stopped to change. */
async function settledMemory({ desk, signal }: Stand, { queue, trace, worker }: Workplace): Promise<number> {
  const readings = (): number[] =>
    existsSync(trace)
      ? readFileSync(trace, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => Number(line.split(' ')[1]))
      : []
  for (let asked = readings().length; ; asked++) {
    await desk.fill(
      queue,
      series(1, () => taskMessage('bench.memory', [asked], {})),
    )
    const answered = (): boolean => {
      worker.check()
      return readings().length > asked
    }
    await until(answered, { signal, what: 'the worker to tell its memory', everyMs: 20 })
    const [last = Number.NaN, previous = Number.NaN] = readings().toReversed()
    if (Math.abs(last / previous - 1) < SETTLED) return last
    if (asked > MOST_READINGS) throw new Error(`the worker's memory does not settle: ${readings().join(', ')} bytes`)
  }
}
