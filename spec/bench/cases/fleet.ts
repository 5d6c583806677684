import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { alternate, type Entrant } from '../alternate.js'
import { Contender, type Launch, ROOT } from '../contender.js'
import type { Case, Figure } from '../findings.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { noops } from '../sources.js'
import { type Stand, until } from '../stand.js'
import { type Address, atWork } from '../workplace.js'

/*
 * Two workers that share a queue, from when it is let go until nothing waits in it or in its lanes. Only the fleet keeps the order of keys, and
 * pays with a second way through the broker for each message.
 */

const FLEET = 'a fleet of two'
const PLAIN = 'two plain workers'
const PREFORK = 'two Celery prefork -c 2'
const LANES = 32
const POLL_MS = 100

type Start = (name: string) => (address: Address) => Launch

export const fleet: Case = {
  name: 'fleet',
  title: 'two workers, keyed no-ops, 16 slots each',
  async run(stand) {
    const ours = ['-c', '16', '-l', 'WARNING']
    const prefork = ['-P', 'prefork', '-c', '2', '-l', 'WARNING']
    const inFleet: Start = (name) => (address) =>
      celeriac(
        [...ours, '--fleet', address.queue],
        { BENCH_ORDER: 'on', CELERY_WORKER_FLEET_LANES: String(LANES) },
        name,
      )(address)
    const entrants = [
      byPair(stand, FLEET, inFleet, LANES),
      byPair(stand, PLAIN, (name) => celeriac(ours, { BENCH_ORDER: 'on' }, name)),
      byPair(stand, PREFORK, (name) => python(prefork, {}, name)),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    const figure = (rival: string, atLeast: number): Figure => ({
      what: `${FLEET} / ${rival}`,
      label: `fleet of two: vs ${rival}`,
      unit: 'x',
      target: { atLeast },
      ...rounds.ratio(FLEET, rival, 'rate'),
    })
    return {
      rows: entrants.map(({ name }) => ({ entrant: name, unit: 'tasks/s', ...rounds.of(name, 'rate') })),
      figures: [figure(PLAIN, 0.4), figure(PREFORK, 2)],
    }
  },
}

/** @param lanes of the queue, which are to be empty as well */
function byPair(stand: Stand, name: string, start: Start, lanes = 0): Entrant<'rate'> {
  const { broker, desk, redis, scale, signal } = stand
  const measure = async (): Promise<{ rate: number }> => {
    let queues: string[] = []
    const rate = await atWork(stand, start('one'), async ({ queue, trace, worker }, releasers) => {
      queues = [queue, ...Array.from({ length: lanes }, (_, lane) => `${queue}.lane.${lane}`)]
      const workers = [
        worker,
        new Contender(start('two')({ queue, trace, brokerUrl: broker.url, redisUrl: redis.url })),
      ]
      releasers.add(async () => workers[1]?.end())
      const check = (): void => {
        for (const each of workers) each.check()
      }
      const { consumers } = await desk.depth(queue)
      const isShared = async (): Promise<boolean> => {
        check()
        return lanes > 0 ? sharesEvenly(broker.url, lanes) : (await desk.depth(queue)).consumers >= 2 * consumers
      }
      await until(isShared, { signal, what: 'both workers to consume', everyMs: POLL_MS })
      const isEmpty = async (): Promise<boolean> => {
        check()
        for (const each of queues) if ((await desk.depth(each)).ready > 0) return false
        return true
      }
      const run = async (count: number): Promise<number> => {
        for (const each of workers) each.pause()
        await desk.fill(queue, noops()(count))
        for (const each of workers) each.resume()
        const begunMs = performance.now()
        await until(isEmpty, { signal, what: 'all queues to be empty', everyMs: POLL_MS })
        return (count / (performance.now() - begunMs)) * 1000
      }
      await run(scale.warmUp)
      return await run(scale.backlog)
    })
    for (const lane of queues.slice(1)) await desk.deleteQueue(lane)
    return { rate }
  }
  return { name, measure }
}

/** Whether two workers say that each of them has half of the lanes. */
async function sharesEvenly(brokerUrl: string, lanes: number): Promise<boolean> {
  const args = ['bin/celeriac.js', '-b', brokerUrl, 'inspect', '-t', '2', '-j', 'fleet']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT })
  const answers = Object.values(JSON.parse(stdout) as Record<string, readonly Fleet[]>)
  return (
    answers.length === 2 && answers.every(([fleet]) => fleet?.members.every((member) => member.lanes === lanes / 2))
  )
}

/** Of `inspect fleet`. */
interface Fleet {
  readonly members: readonly { readonly lanes: number }[]
}
