import { alternate, type Entrant } from '../alternate.js'
import { warmUp } from '../drain.js'
import type { Case } from '../findings.js'
import { taskMessage } from '../message.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops, series } from '../sources.js'
import { readStamps } from '../stamps.js'
import { type Stand, until } from '../stand.js'
import { atWork, freshQueue } from '../workplace.js'

/*
 * The burst is published beforehand into another queue, behind a message that dies after a while: then the broker itself moves all of
 * them to the worker's queue at once. So the worker runs, idle, when they come, its timers are at whatever moment they are at, and
 * publishing costs no measured time. The clock runs from the first task's start to the last one's end.
 */

const BURST = 2000
const TASK_MS = 20
const LEAST_SLOTS = 2
/** Until the burst breaks loose; long enough for filling. */
const DAM_MS = 1500
/** Seconds; in a quick run nobody looks at what comes of it. */
const keepaliveOf = ({ scale }: Stand): number => (scale.quick ? 1 : 2)
/*
 * By default a backlog may take a second, and a worker that knows its tasks opens as many slots as that takes, here 40. What is asked for
 * is a burst that is over as if all slots had been open.
 */
const TARGET_WAIT_S = 0.2
/** The estimates of arrivals take a few ticks to forget the burst; only then does the keepalive begin. */
const backWithinMs = (keepaliveS: number): number => (2 * keepaliveS + 3) * 1000

type Quantity = 'ms' | 'resizes' | 'backMs'

export const burst: Case = {
  name: 'burst',
  title: `burst of ${BURST} x ${TASK_MS} ms, --autoscale=100,2`,
  async run(stand) {
    const keepaliveS = keepaliveOf(stand)
    const entrants = [
      byBurst(stand, '--autoscale=100,2', ['--autoscale=100,2'], true),
      byBurst(stand, '100 fixed slots', ['-c', '100'], false),
    ]
    // Half a second is over before the machine's other doings even out.
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    const ours = '--autoscale=100,2'
    return {
      rows: entrants.map(({ name }) => ({ entrant: name, unit: 'ms', ...rounds.of(name, 'ms') })),
      figures: [
        {
          what: 'time to drain, autoscale / fixed',
          label: 'burst: autoscale vs 100 fixed slots',
          unit: 'x',
          target: { atMost: 1.08 },
          ...rounds.ratio(ours, '100 fixed slots', 'ms'),
        },
        { what: 'resizes', label: 'burst: resizes', unit: '', target: { atMost: 10 }, ...rounds.of(ours, 'resizes') },
        {
          what: 'back at 2 slots, after the last task',
          label: 'burst: back at 2 slots',
          unit: 'ms',
          target: { atMost: backWithinMs(keepaliveS) },
          ...rounds.of(ours, 'backMs'),
        },
      ],
      note: `Keepalive: ${keepaliveS} s; worker_autoscale_target_wait: ${TARGET_WAIT_S} s (by default 1 s, for which 40 slots are enough).`,
    }
  },
}

function byBurst(stand: Stand, name: string, options: readonly string[], scales: boolean): Entrant<Quantity> {
  const { desk, signal } = stand
  const launch = celeriac([...options, '-l', 'INFO', '--log-format', 'json'], {
    AUTOSCALE_KEEPALIVE: String(keepaliveOf(stand)),
    CELERY_WORKER_AUTOSCALE_TARGET_WAIT: String(TARGET_WAIT_S),
  })
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place, releasers) => {
        await warmUp(stand, place, noops()(stand.scale.warmUp))
        // The warm-up may have opened slots, too.
        const isSmall = async (): Promise<boolean> =>
          !scales || (await desk.depth(place.queue)).consumers <= LEAST_SLOTS
        await until(isSmall, { signal, what: 'the slots of the warm-up to be closed', everyMs: 100 })
        const resizes: Array<{ slots: number; atMs: number }> = []
        place.worker.onLine = (line) => {
          const slots = slotsIn(line)
          if (slots !== null) resizes.push({ slots, atMs: performance.now() })
        }
        const dam = await freshQueue(stand, releasers, {
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': place.queue,
        })
        const message = () => taskMessage('bench.stamp', [0, TASK_MS], { key: 'burst' })
        await desk.fill(
          dam,
          series(BURST, (index) => {
            const { content, properties } = message()
            return { content, properties: { ...properties, expiration: index === 0 ? DAM_MS : 1 } }
          }),
        )
        const all = (): boolean => readStamps(place.trace).length === BURST
        await until(all, { signal, what: 'the burst to be over', everyMs: 50 })
        const overMs = performance.now()
        const stamps = readStamps(place.trace)
        const ms =
          (Math.max(...stamps.map(({ ended }) => ended)) - Math.min(...stamps.map(({ began }) => began))) / 1000
        if (!scales) return { ms, resizes: 0, backMs: 0 }
        const isBack = (): boolean => resizes.at(-1)?.slots === LEAST_SLOTS
        await until(isBack, { signal, what: `the slots to be ${LEAST_SLOTS} again`, everyMs: 50 })
        return { ms, resizes: resizes.length, backMs: (resizes.at(-1)?.atMs ?? 0) - overMs }
      }),
  }
}

/** The number of slots that the controller has decided on, if this line of the log says it. */
function slotsIn(line: string): number | null {
  if (!line.startsWith('{') || !line.includes('Scaling ')) return null
  const { slots } = JSON.parse(line) as { slots?: unknown }
  return typeof slots === 'number' ? slots : null
}
