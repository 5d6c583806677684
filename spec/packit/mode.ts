import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Celery } from 'celeriac'
import type { DemoBroker } from './broker.js'
import type { Sample } from './chart.js'
import type { Display } from './display.js'
import type { PackitMessage } from './message.js'
import { judge, type Verdict } from './oracle.js'
import { publish } from './publish.js'
import type { Releasers } from './releasers.js'
import { TraceReader } from './traceLog.js'
import { Watch } from './watch.js'
import { WorkerProcess } from './workerProcess.js'

/** A way to run the worker. */
export interface Mode {
  readonly name: 'unordered' | 'serial' | 'ordered'
  /** Slots at the start. */
  readonly slots: number
  /** Slots at most. */
  readonly maxSlots: number
  /** Options of `celeriac worker`. */
  readonly options: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface ModeResult {
  readonly mode: Mode
  /** From the first publish to the last finished message, in milliseconds. */
  readonly wallMs: number
  /** Of both hops together. */
  readonly verdict: Verdict
  readonly samples: readonly Sample[]
}

/** What all modes share. */
export interface Stage {
  readonly messages: readonly PackitMessage[]
  /** Publishes hop 1. */
  readonly app: Celery
  readonly broker: DemoBroker
  readonly display: Display
  readonly releasers: Releasers
  /** For the trace files. */
  readonly directory: string
  readonly signal: AbortSignal
}

/**
 * Runs the messages through a worker of its own, on a queue of its own, and judges what it did.
 * @throws Error if the worker fails, or the work isn't finished in time
 */
export async function runMode(mode: Mode, stage: Stage): Promise<ModeResult> {
  const { app, broker, directory, messages, releasers, signal } = stage
  const queue = `packit.demo.${mode.name}.${randomBytes(4).toString('hex')}`
  const path = join(directory, `${mode.name}.jsonl`)
  const deleteQueue = releasers.add(() => broker.deleteQueue(queue))
  await broker.createQueue(queue)
  const reader = new TraceReader(path)
  const closeReader = releasers.add(async () => reader.close())
  const watch = new Watch({ ...stage, title: mode.name, queue, reader, slots: mode.slots })
  const worker = new WorkerProcess({
    queue,
    name: queue,
    options: mode.options,
    env: { ...mode.env, PACKIT_QUEUE: queue, PACKIT_TRACE: path },
    signal,
    onSlots: (slots) => {
      watch.slots = slots
    },
  })
  const killWorker = releasers.add(() => worker.kill())
  await worker.whenReady()

  const work = Promise.all([watch.untilDone(), publish(app, queue, messages, signal)])
  await Promise.race([work, worker.failed])
  await Promise.race([watch.untilShrunk(), worker.failed])
  await worker.stop()
  reader.poll()

  await killWorker()
  await closeReader()
  await deleteQueue()
  return { mode, wallMs: watch.wallMs, verdict: judge(messages, reader.records).total, samples: watch.samples }
}
