import { join } from 'node:path'
import { alternate, type Entrant } from '../alternate.js'
import { Contender, type Launch } from '../contender.js'
import type { Case } from '../findings.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { releasing, type Stand, until } from '../stand.js'
import { type Address, freshQueue } from '../workplace.js'

const OURS = ['-c', '16', '-l', 'WARNING']
const THEIRS = ['-P', 'prefork', '-c', '2', '-l', 'WARNING']
const QUIET = ['--without-gossip', '--without-mingle', '--without-heartbeat']

export const start: Case = {
  name: 'start',
  title: 'command to consuming',
  async run(stand) {
    const entrants = [
      byStart(stand, 'Celeriac', celeriac(OURS)),
      byStart(stand, 'Celery prefork -c 2', python(THEIRS)),
      byStart(stand, 'Celeriac, quiet', celeriac([...OURS, ...QUIET])),
      byStart(stand, 'Celery prefork -c 2, quiet', python([...THEIRS, ...QUIET])),
    ]
    // A start is short, and noisy.
    const rounds = await alternate(entrants, stand.scale.quick ? 1 : 2 * stand.scale.rounds + 1)
    return {
      rows: entrants.map(({ name }) => ({ entrant: name, unit: 'ms', ...rounds.of(name, 'ms') })),
      figures: [
        {
          what: 'Celeriac / Celery prefork -c 2',
          label: 'command to consuming: vs Celery prefork -c 2',
          unit: 'x',
          target: { atMost: 1 / 3 },
          ...rounds.ratio('Celeriac', 'Celery prefork -c 2', 'ms'),
        },
      ],
      note: 'Quiet: without gossip, mingle and heartbeats, so that no worker waits for others to answer.',
    }
  },
}

/** From the moment the command is given until the broker knows of its first consumer, in milliseconds. */
function byStart(stand: Stand, name: string, launch: (address: Address) => Launch): Entrant<'ms'> {
  const { broker, desk, directory, redis, signal } = stand
  return {
    name,
    measure: () =>
      releasing(async (releasers) => {
        const queue = await freshQueue(stand, releasers)
        const address = { queue, brokerUrl: broker.url, redisUrl: redis.url, trace: join(directory, 'start.trace') }
        const begun = performance.now()
        const worker = new Contender(launch(address))
        releasers.add(() => worker.end())
        const consumes = async (): Promise<boolean> => {
          worker.check()
          return (await desk.depth(queue)).consumers > 0
        }
        await until(consumes, { signal, what: 'the worker to consume', everyMs: 4 })
        return { ms: performance.now() - begun }
      }),
  }
}
