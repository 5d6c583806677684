import { Redis } from 'ioredis'
import { alternate, type Entrant } from '../alternate.js'
import type { Launch } from '../contender.js'
import { warmUp } from '../drain.js'
import type { Case, Figure, Row } from '../findings.js'
import { bareChain } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { noops } from '../sources.js'
import { type Stand, until } from '../stand.js'
import { median } from '../statistics.js'
import { chainOf, chordOf, groupOf, type Workflow } from '../workflows.js'
import { type Address, atWork } from '../workplace.js'

/*
 * One message is published to an idle worker, which sends all other tasks of the workflow itself: the steps of a chain one by one, the
 * members of a group at once. The clock runs from there until the result of its last task is in Redis.
 */

const OURS = 'Celeriac'
const PREFORK = 'Celery prefork -c 2'
const LOOP = 'bare loop with confirms'
const POLL_MS = 2

type Quantity = 'chain' | 'group' | 'chord'

export const canvas: Case = {
  name: 'canvas',
  title: 'a chain, a group and a chord of no-ops, redis results, 100 slots',
  async run(stand) {
    const { rounds: count } = stand.scale
    const { url } = stand.redis
    const forms = formsOf(stand)
    const [chain] = forms
    const prefork = ['-P', 'prefork', '-c', '2', '-l', 'WARNING']
    const entrants = [
      byWorkflows(stand, OURS, celeriac(['-c', '100', '-l', 'WARNING'], { CELERY_RESULT_BACKEND: url }), forms),
      byWorkflows(stand, PREFORK, python(prefork, { BENCH_BACKEND: url }), forms),
      byWorkflows(stand, LOOP, bareChain, [chain]),
    ]
    const rounds = await alternate(entrants, count)
    const row = (name: string, { quantity, title }: Form): Row => ({
      entrant: `${name}, ${title}`,
      unit: 'ms',
      ...rounds.of(name, quantity),
    })
    return {
      rows: [row(LOOP, chain), ...forms.flatMap((form) => [row(OURS, form), row(PREFORK, form)])],
      figures: [
        ...forms.map(
          ({ quantity, title }): Figure => ({
            what: `${title}: Celeriac / ${PREFORK}`,
            label: `${title}: vs ${PREFORK}`,
            unit: 'x',
            target: { atLeast: 3 },
            ...rounds.ratio(PREFORK, OURS, quantity),
          }),
        ),
        // As for any task that stores a result, in the case redis.
        {
          what: `${chain.title}: Celeriac / ${LOOP}`,
          label: `${chain.title}: vs ${LOOP}`,
          unit: 'x',
          target: { atLeast: 0.7 },
          ...rounds.ratio(LOOP, OURS, 'chain'),
        },
      ],
      note:
        'From one message, by which the worker sends the rest, until the last result is in Redis. The bare loop publishes with ' +
        'confirms, as Celeriac does; Celery does without.',
    }
  },
}

interface Form {
  readonly quantity: Quantity
  readonly title: string
  make(queue: string): Workflow
}

function formsOf({ scale }: Stand): readonly [Form, Form, Form] {
  const [steps, members] = scale.quick ? [20, 100] : [100, 1000]
  const title = (what: string, size: number): string => `${what} of ${size.toLocaleString('en')}`
  return [
    { quantity: 'chain', title: title('chain', steps), make: (queue) => chainOf(steps, queue) },
    { quantity: 'group', title: title('group', members), make: (queue) => groupOf(members, queue) },
    { quantity: 'chord', title: title('chord', members), make: (queue) => chordOf(members, queue) },
  ]
}

/** Milliseconds that each form takes: the median of a few, one after the other. */
function byWorkflows(
  stand: Stand,
  name: string,
  launch: (address: Address) => Launch,
  forms: readonly Form[],
): Entrant<Quantity> {
  const times = stand.scale.quick ? 1 : 2
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place, releasers) => {
        await warmUp(stand, place, noops()(stand.scale.warmUp))
        const redis = new Redis(stand.redis.url)
        releasers.add(async () => redis.disconnect())
        const timed = async ({ make, title }: Form): Promise<number> => {
          const { ends, message } = make(place.queue)
          const isOver = async (): Promise<boolean> => {
            place.worker.check()
            return (await redis.exists(...ends.map((id) => `celery-task-meta-${id}`))) === ends.length
          }
          const begunMs = performance.now()
          stand.desk.send(place.queue, message)
          await until(isOver, { signal: stand.signal, what: `the ${title} to end`, everyMs: POLL_MS })
          return performance.now() - begunMs
        }
        const ms: Record<Quantity, number> = { chain: Number.NaN, group: Number.NaN, chord: Number.NaN }
        for (const form of forms) {
          // The first of its kind is slower than those to come.
          if (!stand.scale.quick) await timed(form)
          const all: number[] = []
          for (let time = 0; time < times; time++) all.push(await timed(form))
          ms[form.quantity] = median(all)
        }
        return ms
      }),
  }
}
