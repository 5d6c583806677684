import { setTimeout } from 'node:timers/promises'
import type { DemoBroker } from './broker.js'
import type { Sample } from './chart.js'
import type { Display } from './display.js'
import type { PackitMessage } from './message.js'
import { Progress } from './progress.js'
import type { TraceReader } from './traceLog.js'

const TICK_MS = 50
const LIMIT_MS = 90_000
/** How long to watch slots being given up at the end, at most. */
const SHRINK_LIMIT_MS = 5000

export interface WatchOptions {
  /** Shown at the head of the line. */
  readonly title: string
  readonly messages: readonly PackitMessage[]
  readonly queue: string
  readonly reader: TraceReader
  readonly broker: DemoBroker
  readonly display: Display
  readonly signal: AbortSignal
  /** Slots at the start. */
  readonly slots: number
}

/** Watches one run: reads the trace, asks for the queue's depth, keeps and shows both. */
export class Watch {
  /** To be set when the worker says that they change. */
  slots: number
  readonly samples: Sample[] = []
  private readonly progress: Progress
  private startedAt = 0

  constructor(private readonly options: WatchOptions) {
    this.slots = options.slots
    this.progress = new Progress(options.messages)
  }

  /** From `untilDone` to the last finished message, in milliseconds. */
  get wallMs(): number {
    return this.progress.lastAt - this.startedAt
  }

  /**
   * To be called when publishing begins; resolves when every message has finished at every hop.
   * @throws Error when that takes longer than 90 s
   */
  async untilDone(): Promise<void> {
    this.startedAt = Date.now()
    const { progress } = this
    while (progress.done < progress.total) {
      if (Date.now() - this.startedAt > LIMIT_MS) {
        throw new Error(`only ${progress.done} of ${progress.total} messages were finished within ${LIMIT_MS / 1000} s`)
      }
      await this.tick()
    }
  }

  /** Watches on until the idle slots were given up, for a few seconds at most. */
  async untilShrunk(): Promise<void> {
    const until = Date.now() + SHRINK_LIMIT_MS
    while (this.slots > this.options.slots && Date.now() < until) await this.tick()
    await this.tick()
  }

  private async tick(): Promise<void> {
    const { broker, display, queue, reader, signal, title } = this.options
    await setTimeout(TICK_MS, undefined, { signal })
    this.progress.add(reader.poll())
    const depth = await broker.depth(queue)
    const atMs = Date.now() - this.startedAt
    this.samples.push({ atMs, depth, slots: this.slots })
    const { done, total } = this.progress
    const seconds = (atMs / 1000).toFixed(1)
    display.status(
      `  ${title.padEnd(10)} ${seconds.padStart(5)} s   depth ${`${depth}`.padStart(5)}   slots ${this.slots}   done ${done}/${total}`,
    )
  }
}
