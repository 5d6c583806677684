import { generate } from '../../packit/generator.js'
import type { PackitMessage } from '../../packit/message.js'
import { judge } from '../../packit/oracle.js'
import { Progress } from '../../packit/progress.js'
import { TraceReader } from '../../packit/traceLog.js'
import { PRESETS } from '../../packit/workload.js'
import { alternate, type Entrant } from '../alternate.js'
import { Contender, type Launch } from '../contender.js'
import type { Case } from '../findings.js'
import { taskMessage } from '../message.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { type Stand, until } from '../stand.js'
import { type Address, atWork } from '../workplace.js'

/*
 * Every end right behind its start, at both hops; the workers, which have run a few builds before, go on with a full queue of hop 1,
 * and publish hop 2 themselves. Run times are a 180th of the real ones, and a tenth of the starts fail once.
 */

const APP = 'build/packit/app.js'
const OURS = 'Celeriac, 16 slots with keys'
const SERIAL = 'Celeriac, one slot'
const THEIRS = 'two Celery prefork -c 2'

type Quantity = 'ms' | 'inversions' | 'lost'

export const packit: Case = {
  name: 'packit',
  title: 'Packit `hot` at both hops',
  async run(stand) {
    const builds = stand.scale.quick ? 8 : 60
    const workload = { ...PRESETS.hot, runScale: 0.0055, failStartFraction: 0.1 }
    const messages = generate({ ...workload, builds, seed: 375 })
    const before = generate({ ...workload, builds: stand.scale.quick ? 2 : 20, seed: 376 })
    const prefork = ['-P', 'prefork', '-c', '2', '-l', 'ERROR']
    const entrants = [
      byWork(stand, OURS, { before, messages }, [
        celeriac(['-c', '16', '-l', 'ERROR'], { app: APP, PACKIT_ORDER: 'on' }),
      ]),
      byWork(stand, SERIAL, { before, messages }, [
        celeriac(['-c', '1', '-l', 'ERROR'], { app: APP, PACKIT_ORDER: 'off' }),
      ]),
      byWork(stand, THEIRS, { before, messages }, [python(prefork, {}, 'one'), python(prefork, {}, 'two')]),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    const speedup = (name: string) => ({
      what: `Celeriac / ${name}`,
      label: `Packit, two hops: vs ${name}`,
      unit: 'x',
      ...rounds.ratio(name, OURS, 'ms'),
    })
    const inversions = (name: string) => ({
      what: `messages that ran too early, ${name}`,
      label: `Packit: too early, ${name}`,
      unit: '',
      ...rounds.of(name, 'inversions'),
    })
    return {
      rows: entrants.map(({ name }) => ({ entrant: name, unit: 'ms', ...rounds.of(name, 'ms') })),
      figures: [
        { ...speedup(SERIAL), target: { atLeast: 5 } },
        { ...speedup(THEIRS), target: { atLeast: 2 } },
        { ...inversions(OURS), target: { atMost: 0 } },
        { ...inversions(THEIRS), target: { atLeast: 1 } },
        {
          what: 'messages lost, Celeriac',
          label: 'Packit: lost',
          unit: '',
          ...rounds.of(OURS, 'lost'),
          target: { atMost: 0 },
        },
      ],
      note: `${messages.length} messages at hop 1, as many at hop 2.`,
    }
  },
}

/** From a full queue until the last message of hop 2 is done. */
function byWork(
  stand: Stand,
  name: string,
  { before, messages }: { readonly before: readonly PackitMessage[]; readonly messages: readonly PackitMessage[] },
  launches: ReadonlyArray<(address: Address) => Launch>,
): Entrant<Quantity> {
  const { broker, desk, redis, signal } = stand
  const [first, ...others] = launches
  if (!first) throw new RangeError('a measurement needs a worker')
  return {
    name,
    measure: () =>
      atWork(stand, first, async ({ queue, trace, worker }, releasers) => {
        const workers = [worker]
        for (const launch of others) {
          const other = new Contender(launch({ queue, trace, brokerUrl: broker.url, redisUrl: redis.url }))
          releasers.add(() => other.end())
          workers.push(other)
        }
        const check = (): void => {
          for (const worker of workers) worker.check()
        }
        const allConsume = async (): Promise<boolean> => {
          check()
          return (await desk.depth(queue)).consumers >= workers.length
        }
        await until(allConsume, { signal, what: 'all workers to consume' })
        const reader = new TraceReader(trace)
        releasers.add(async () => reader.close())
        const run = async (work: readonly PackitMessage[]): Promise<number> => {
          for (const worker of workers) worker.pause()
          await desk.fill(
            queue,
            work.map(({ task, args, kwargs }) => taskMessage(task, args, kwargs)),
          )
          const begunAt = Date.now()
          for (const worker of workers) worker.resume()
          const progress = new Progress(work)
          const isDone = (): boolean => {
            check()
            progress.add(reader.poll())
            return progress.done === progress.total
          }
          await until(isDone, { signal, what: 'both hops to be done', everyMs: 20 })
          return progress.lastAt - begunAt
        }
        await run(before)
        const from = reader.records.length
        const ms = await run(messages)
        const { inversions, lost } = judge(messages, reader.records.slice(from)).total
        return { ms, inversions, lost }
      }),
  }
}
