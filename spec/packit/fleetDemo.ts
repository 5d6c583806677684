import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Stage } from './mode.js'
import { judge, type Verdict } from './oracle.js'
import { publish } from './publish.js'
import { TraceReader } from './traceLog.js'
import { Watch } from './watch.js'
import { WorkerProcess } from './workerProcess.js'

const LANES = 32
const SLOTS = 4
/** One worker of the fleet goes, and another comes, as often as this while there is work. */
const CHANGE_MS = 2500
const HEAD = ['mode', 'workers', 'wall time', 'inversions', 'overlaps', 'lost', 'repeated']

/** One of the two ways to run several workers on a queue. */
interface Way {
  readonly name: 'plain' | 'fleet'
  readonly workers: number
}

/** What came of a way. */
export interface FleetResult extends Way {
  /** Workers that went, and were replaced. */
  readonly changes: number
  readonly wallMs: number
  /** Of both hops together. */
  readonly verdict: Verdict
}

/** The same messages through two plain workers, and through a fleet of three that come and go. */
export async function runFleetDemo(stage: Stage): Promise<FleetResult[]> {
  stage.display.print('plain: two workers on one queue, with keys')
  const plain = await run({ name: 'plain', workers: 2 }, stage)
  stage.display.print('fleet: three workers with --fleet, which come and go')
  return [plain, await run({ name: 'fleet', workers: 3 }, stage)]
}

/** The results as lines of a table. */
export function fleetTable(results: readonly FleetResult[]): string[] {
  const rows = results.map(({ changes, name, verdict, wallMs, workers }) => [
    name,
    changes > 0 ? `${workers}, ${changes} replaced` : `${workers}`,
    `${(wallMs / 1000).toFixed(1)} s`,
    ...[verdict.inversions, verdict.overlaps, verdict.lost, verdict.repeated].map(String),
  ])
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   '))
}

/** Why it proves nothing; empty if it does. */
export function fleetFaults(results: readonly FleetResult[]): string[] {
  return results.flatMap(({ changes, name, verdict: { inversions, lost, overlaps } }) => {
    if (name === 'plain') return inversions > 0 ? [] : ['two plain workers broke no order, so that this was no test']
    const found = [
      [inversions, 'ran too early'],
      [overlaps, 'ran beside another of their key'],
      [lost, 'were lost'],
    ] as const
    const faults = found
      .filter(([count]) => count > 0)
      .map(([count, what]) => `in the fleet, ${count} messages ${what}`)
    return changes > 0 ? faults : [...faults, 'no worker of the fleet was replaced before the work was done']
  })
}

async function run(way: Way, stage: Stage): Promise<FleetResult> {
  const { app, broker, directory, display, messages, releasers, signal } = stage
  const queue = `packit.demo.${way.name}.${randomBytes(4).toString('hex')}`
  const path = join(directory, `${way.name}.jsonl`)
  const names = [queue, ...Array.from({ length: LANES }, (_, lane) => `${queue}.lane.${lane}`), `${queue}.lanes`]
  const deleteQueues = releasers.add(async () => {
    for (const name of way.name === 'fleet' ? [...names, `${queue}.fleet`] : [queue]) await broker.deleteQueue(name)
  })
  await broker.createQueue(queue)
  const reader = new TraceReader(path)
  const closeReader = releasers.add(async () => reader.close())
  const watch = new Watch({ ...stage, title: way.name, queue, reader, slots: way.workers * SLOTS })
  const kills: Array<() => Promise<void>> = []
  let count = 0
  const start = async (): Promise<WorkerProcess> => {
    const name = `${way.name}${++count}`
    const worker = new WorkerProcess({
      queue,
      name: `${queue}.${count}`,
      options: ['-c', `${SLOTS}`, ...(way.name === 'fleet' ? ['--fleet', queue] : [])],
      env: {
        PACKIT_ORDER: 'on',
        PACKIT_QUEUE: queue,
        PACKIT_TRACE: path,
        CELERY_WORKER_FLEET_LANES: `${LANES}`,
      },
      signal,
      onSlots: () => undefined,
      onLanes: (lanes) => display.print(`  ${name} has ${lanes} of ${LANES} lanes`),
    })
    kills.push(releasers.add(() => worker.kill()))
    await worker.whenReady()
    return worker
  }
  const workers = await Promise.all(Array.from({ length: way.workers }, start))
  const done = new AbortController()
  const work = Promise.all([watch.untilDone(), publish(app, queue, messages, signal)]).finally(() => done.abort())
  const change = async (): Promise<number> => {
    let changes = 0
    for (; way.name === 'fleet'; changes++) {
      await setTimeout(CHANGE_MS, undefined, { signal: done.signal }).catch(() => undefined)
      const [leaver] = workers
      if (done.signal.aborted || !leaver) break
      display.print('  one goes, another comes')
      const [came] = await Promise.all([start(), leaver.stop()])
      workers.splice(0, 1)
      workers.push(came)
    }
    return changes
  }
  const [changes] = await Promise.race([Promise.all([change(), work]), ...workers.map(({ failed }) => failed)])
  await Promise.all(workers.map((worker) => worker.stop()))
  reader.poll()
  for (const kill of kills) await kill()
  await closeReader()
  await deleteQueues()
  return { ...way, changes, wallMs: watch.wallMs, verdict: judge(messages, reader.records).total }
}
