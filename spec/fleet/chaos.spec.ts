import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import { Random } from '../packit/random.js'
import { Client } from '../support/client.js'
import { type Link, openLink, through } from '../support/link.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'
import { judge } from './judge.js'
import { Vacancies } from './vacancies.js'

const broker = ownBroker()

/** For each type of lanes. A short run is of one type, with fewer workers, and not everything happens. */
const ASKED = process.env.CELERIAC_SPEC_FLEET
const MESSAGES = Number(ASKED ?? 800)
const TYPES = ASKED ? (['classic', 'quorum'] as const) : (['quorum'] as const)
const KEYS = 2000
const LANES = 32
const WORKERS = ASKED ? 4 : 3
const SLOTS = 4
/** Seconds. The broker takes a silent worker for lost after two or three times as many. */
const HEARTBEAT = ASKED ? 2 : 1
const BEYOND_MS = HEARTBEAT * 3500
/** Messages between two rounds of mishaps. */
const STRETCH = 400
/** What happens in a round, each to another worker, at the same time. */
const ROUNDS = [
  ['freeze', 'silence'],
  ['kill', 'forget'],
  ['stop', 'cut'],
] as const
type Mishap = (typeof ROUNDS)[number][number]

const lanesOf = (queue: string): string[] => Array.from({ length: LANES }, (_, lane) => laneName(queue, lane))
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
/** How long a lane was without a consumer, at the longest, by the mishaps before it. */
const told = (longestMs: ReadonlyMap<string, number>): string =>
  `longest without a holder: ${[...longestMs].map(([last, ms]) => `${seconds(ms)} after ${last}`).join('; ')}`

/** A worker that reaches the broker through a link of its own. */
interface Station {
  readonly link: Link
  readonly worker: Program
}

describe('a fleet to which everything happens', () => {
  let client: Client
  let watcher: Client
  let queue: string
  let dir: string
  let trace: string
  let type: string
  let vacancies: Vacancies | null = null
  const stations: Station[] = []

  beforeEach(async () => {
    client = await Client.open(broker())
    watcher = await Client.open(broker())
    dir = await mkdtemp(join(tmpdir(), 'celeriac-chaos-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    // Before the connection that it looks through goes.
    await vacancies?.stop()
    vacancies = null
    await killAllPrograms()
    for (const { link } of stations.splice(0)) await link.close()
    await client.close()
    await watcher.close()
    await rm(dir, { recursive: true })
  })

  async function start(): Promise<Station> {
    const link = await openLink(Number(new URL(broker()).port))
    const worker = await startWorkerProgram({
      brokerUrl: through(broker(), link.port),
      args: ['-Q', queue, '--fleet', queue, '-c', String(SLOTS)],
      env: {
        STEPS_TRACE: trace,
        CELERY_BROKER_HEARTBEAT: String(HEARTBEAT),
        CELERY_WORKER_FLEET_LANES: String(LANES),
        CELERY_WORKER_FLEET_QUEUE_TYPE: type,
      },
    })
    return { link, worker }
  }

  async function replace(station: Station, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    stations.splice(stations.indexOf(station), 1)
    station.worker.kill(signal)
    const [came, end] = await Promise.all([start(), station.worker.exited])
    expect(end).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal })
    await station.link.close()
    stations.push(came)
  }

  async function happen(mishap: Mishap, station: Station): Promise<void> {
    const { link, worker } = station
    switch (mishap) {
      case 'stop':
        return replace(station, 'SIGTERM')
      case 'kill':
        return replace(station, 'SIGKILL')
      case 'freeze':
        worker.kill('SIGSTOP')
        await pause(BEYOND_MS)
        worker.kill('SIGCONT')
        return
      case 'cut':
        link.cut()
        return
      case 'forget':
        link.forget()
        return
      case 'silence':
        link.stall()
        await pause(BEYOND_MS)
        link.cut()
        link.resume()
        return
      default:
        mishap satisfies never
    }
  }

  /** Like `waitFor`, but what fails leaves behind what its workers said, and says what waits where. */
  async function waitForFleet(condition: () => boolean, what: string, timeoutMs?: number): Promise<void> {
    try {
      await waitFor(condition, { what, everyMs: 100, ...(timeoutMs ? { timeoutMs } : {}) })
    } catch (thrown) {
      const kept = await mkdtemp(join(tmpdir(), 'celeriac-chaos-failed-'))
      await Promise.all(
        stations
          .map(({ worker }) => writeFile(join(kept, `${worker.pid}.log`), worker.output))
          .concat(cp(trace, join(kept, 'steps.jsonl'))),
      )
      const waiting: string[] = []
      for (const name of [queue, ...lanesOf(queue)]) {
        waiting.push(`${name}: ${await client.depth(name)} ready, ${await client.consumers(name)} consumers`)
      }
      throw new Error(`${(thrown as Error).message}\n${waiting.join('\n')}\nThe logs of the workers are in ${kept}`)
    }
  }

  /** The lanes that a worker was last told to hold. */
  const shareOf = ({ worker }: Station): number =>
    Number([...worker.output.matchAll(/This worker gets (\d+) of \d+ lanes of /g)].at(-1)?.[1])

  it.each(TYPES)(
    'keeps the order of each key on %s lanes, runs no two tasks of a key at once, and loses nothing',
    async (given) => {
      type = given
      queue = await client.queue(
        type === 'quorum' ? { 'x-queue-type': 'quorum', 'x-single-active-consumer': true } : {},
      )
      const seed = process.env.CELERIAC_SPEC_FLEET_SEED ?? `${Date.now()}`
      const random = new Random(seed)
      stations.push(...(await Promise.all(Array.from({ length: WORKERS }, start))))
      const published = new Map<string, number[]>()
      const doneCount = (): number => ended(readSteps(trace)).size
      let mishaps = 0
      const lanes = lanesOf(queue)
      const longestMs = new Map<string, number>()
      const note = (round: number): void => {
        const last = ROUNDS[round % ROUNDS.length]?.join(', ') ?? 'the start'
        longestMs.set(last, Math.max(longestMs.get(last) ?? 0, vacancies?.take() ?? 0))
      }
      for (let from = 0; from < MESSAGES; from += STRETCH) {
        const messages = Array.from({ length: Math.min(STRETCH, MESSAGES - from) }, (_, at) => {
          const n = from + at
          const key = `k${Math.min(KEYS, Math.floor((1 - random.next()) ** -1))}`
          published.set(key, [...(published.get(key) ?? []), n])
          return taskMessage('steps.heed', { kwargs: { n, key, ms: random.integer(20, 100) } })
        })
        await client.publish(queue, messages)
        await waitForFleet(() => doneCount() > Math.max(0, from - STRETCH / 2), 'the fleet to be at work')
        const round = ROUNDS[(from / STRETCH) % ROUNDS.length] ?? []
        vacancies ??= new Vacancies(watcher, lanes)
        note(from / STRETCH - 1)
        const first = random.integer(0, stations.length)
        const struck = round.map((_, at) => stations[(first + at) % stations.length] as Station)
        await Promise.all(round.map((mishap, at) => happen(mishap, struck[at] as Station)))
        mishaps += round.length
      }
      const evenFrom = performance.now()
      const isEven = (): boolean => stations.every((station) => Math.abs(shareOf(station) - LANES / WORKERS) < 1)
      await waitForFleet(isEven, 'the lanes to be shared out evenly')
      const evenMs = performance.now() - evenFrom
      await waitForFleet(() => doneCount() === MESSAGES, 'every task to end', 600_000)
      note(Math.ceil(MESSAGES / STRETCH) - 1)
      if (ASKED) console.log(`${type}: ${told(longestMs)}; even ${seconds(evenMs)} after the last mishap`)
      const { repeated, ...faults } = judge(readSteps(trace), published)
      expect({ seed, ...faults }).toEqual({ seed, inversions: [], overlaps: [], lost: [] })
      // What ran, and what the mover had not acknowledged.
      expect(repeated.length).toBeLessThanOrEqual(mishaps * (SLOTS + 128))
      for (const { worker } of stations) worker.kill('SIGTERM')
      for (const { worker } of stations) expect(await worker.exited).toEqual({ code: 0, signal: null })
      for (const lane of lanes) expect(await client.depth(lane)).toBe(0)
      expect(await client.depth(queue)).toBe(0)
    },
    3_600_000,
  )
})
