import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { alternate, type Entrant } from '../alternate.js'
import { Contender, type Launch, ROOT } from '../contender.js'
import type { Case } from '../findings.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { releasing, type Stand, until } from '../stand.js'
import { median } from '../statistics.js'
import { type Address, freshQueue } from '../workplace.js'

const OURS = ['-c', '16', '-l', 'WARNING']
const THEIRS = ['-P', 'prefork', '-c', '2', '-l', 'WARNING']
const VERSION = 'celeriac --version'
const NODE = 'node -e 0'
const QUIET = ['--without-gossip', '--without-mingle', '--without-heartbeat']

export const start: Case = {
  name: 'start',
  title: 'command to consuming, and --version',
  async run(stand) {
    const entrants = [
      byStart(stand, 'Celeriac', celeriac(OURS)),
      byStart(stand, 'Celery prefork -c 2', python(THEIRS)),
      byStart(stand, 'Celeriac, quiet', celeriac([...OURS, ...QUIET])),
      byStart(stand, 'Celery prefork -c 2, quiet', python([...THEIRS, ...QUIET])),
      byRun(stand, VERSION, ['bin/celeriac.js', '--version']),
      byRun(stand, NODE, ['-e', '0']),
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
          target: { atMost: 0.22 },
          ...rounds.ratio('Celeriac', 'Celery prefork -c 2', 'ms'),
        },
        {
          what: `${VERSION} / ${NODE}`,
          label: 'celeriac --version: vs bare node',
          unit: 'x',
          target: { atMost: 2.5 },
          ...rounds.ratio(VERSION, NODE, 'ms'),
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

const RUNS = 5

/** How long a program that does its work and ends takes, in milliseconds: the middle one of a few runs. */
function byRun({ scale, signal }: Stand, name: string, args: readonly string[]): Entrant<'ms'> {
  const run = promisify(execFile)
  return {
    name,
    async measure() {
      const took: number[] = []
      for (let index = 0; index < (scale.quick ? 1 : RUNS); index++) {
        const begun = performance.now()
        await run(process.execPath, args, { cwd: ROOT, signal })
        took.push(performance.now() - begun)
      }
      return { ms: median(took) }
    },
  }
}
