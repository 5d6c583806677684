import { type as systemName } from 'node:os'
import type { Clock, Timer } from '../ports.js'
import type { EventType } from '../protocol/event.js'
import type { EventDispatcher } from './dispatcher.js'
import { loadAverage } from './loadAverage.js'

/** Celery's `heartbeat` command always sends this interval, whatever the real one is. */
const ASKED_FREQ = 5
const DEFAULT_INTERVAL = 2

export interface HeartOptions {
  readonly dispatcher: EventDispatcher
  readonly clock: Clock
  /**
   * Seconds between two beats, by default 2; `'none'` for a worker that doesn't announce itself
   * (`--without-heartbeat`).
   */
  readonly interval: number | 'none' | null
  /** Version of Celeriac. */
  readonly version: string
  /** Returns the tasks that run, and the number of runs begun since the start. */
  activity(): { readonly active: number; readonly processed: number }
}

/**
 * Announces the worker to monitors: online when it begins to take messages, a heartbeat every interval, offline as soon
 * as it begins to stop. Monitors consider a worker dead after two intervals without a heartbeat. Mirrors Celery's
 * `Heart`.
 */
export class Heart {
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly options: HeartOptions) {
    // Monitors may have missed all events before.
    options.dispatcher.onUp(() => {
      if (this.timer) this.say('worker-online')
    })
  }

  /** Called when the worker takes messages, for the first time or again. */
  up(): void {
    if (this.options.interval === 'none' || this.stopped) return
    this.timer?.cancel()
    this.say('worker-online')
    this.wait()
  }

  /** Called when the connection is lost: no heartbeats until `up`, so that monitors notice. */
  down(): void {
    this.timer?.cancel()
    this.timer = null
  }

  /** Called when the worker begins to stop, and takes no more messages. What still runs ends after this. */
  stop(): void {
    const beating = this.timer !== null
    this.stopped = true
    this.down()
    if (beating) this.say('worker-offline')
  }

  /** Sends one heartbeat on request: Celery's `heartbeat` command. */
  pulse(): void {
    this.options.dispatcher.send('worker-heartbeat', { freq: ASKED_FREQ, ...this.software() })
  }

  private get seconds(): number {
    const { interval } = this.options
    return typeof interval === 'number' ? interval : DEFAULT_INTERVAL
  }

  private wait(): void {
    this.timer = this.options.clock.setTimer(() => {
      this.wait()
      this.say('worker-heartbeat')
    }, this.seconds * 1000)
  }

  private say(type: EventType): void {
    const { activity, dispatcher } = this.options
    if (!dispatcher.enabled('worker')) return
    const { active, processed } = activity()
    dispatcher.send(type, { freq: this.seconds, active, processed, loadavg: loadAverage(), ...this.software() })
  }

  private software(): Record<string, string> {
    return { sw_ident: 'celeriac', sw_ver: this.options.version, sw_sys: systemName() }
  }
}
