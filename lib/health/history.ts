import type { Component } from '../component.js'
import type { Clock, Timer } from '../ports.js'

/** Milliseconds between two samples. */
export const STEP_MS = 1000
/** Number of samples kept: ten minutes. */
export const SAMPLES = 600

/** The worker at one moment. The three totals only grow. */
export interface Reading {
  readonly slots: number
  readonly busy: number
  /** Messages that wait only for a slot: in the broker, and here. */
  readonly waiting: number
  /** Messages here that wait for something other than a slot. */
  readonly parked: number
  /** Part of the last second in which the event loop was busy, 0 to 1. */
  readonly loop: number
  /** Totals: messages received, tasks that ended for good, and those of them that failed. */
  readonly received: number
  readonly done: number
  readonly failed: number
}

/** A reading with its time in Unix milliseconds, and rates per second instead of totals. */
type Sample = Reading & { readonly at: number }

/** Samples by column, oldest first: half the size of a list of objects. */
export type Columns = Readonly<Record<keyof Sample, readonly number[]>>

export interface HistoryOptions {
  readonly clock: Clock
  read(): Reading
}

/** The last ten minutes, one sample a second, so that a page shows the past as soon as it is opened. */
export class History implements Component {
  readonly name = 'history'
  private readonly samples: Sample[] = []
  private readonly began: { readonly wall: number; readonly monotonic: number }
  private last: (Reading & { readonly at: number }) | null = null
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly options: HistoryOptions) {
    const { clock } = options
    this.began = { wall: clock.now(), monotonic: clock.monotonic() }
  }

  async start(): Promise<void> {
    if (this.timer || this.stopped) return
    this.sample()
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.timer = null
  }

  /** Returns the samples after a time in Unix milliseconds; all samples if that time is no longer known. */
  since(at: number): Columns {
    const first = this.samples.findIndex((sample) => sample.at > at)
    const wanted = first < 0 ? [] : this.samples.slice(first)
    const column = (name: keyof Columns): number[] => wanted.map((sample) => sample[name])
    return {
      at: column('at'),
      slots: column('slots'),
      busy: column('busy'),
      waiting: column('waiting'),
      parked: column('parked'),
      loop: column('loop'),
      received: column('received'),
      done: column('done'),
      failed: column('failed'),
    }
  }

  private sample(): void {
    const { clock, read } = this.options
    const elapsedMs = clock.monotonic() - this.began.monotonic
    // The wall clock may be set back; the times of a curve must not.
    const at = Math.round(this.began.wall + elapsedMs)
    const reading = { ...read(), at }
    const { last } = this
    const seconds = last ? (at - last.at) / 1000 : 0
    const rate = (total: 'received' | 'done' | 'failed'): number =>
      last && seconds > 0 ? rounded((reading[total] - last[total]) / seconds) : 0
    this.samples.push({
      ...reading,
      loop: rounded(reading.loop),
      received: rate('received'),
      done: rate('done'),
      failed: rate('failed'),
    })
    if (this.samples.length > SAMPLES) this.samples.shift()
    this.last = reading
    // At the next whole step from the beginning, so that late timers don't add up.
    this.timer = clock.setTimer(() => this.sample(), STEP_MS - (elapsedMs % STEP_MS))
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
