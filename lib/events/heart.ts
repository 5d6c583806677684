import { type as systemName } from 'node:os'
import type { Clock, Timer } from '../ports.js'
import type { EventType } from '../protocol/event.js'
import type { EventDispatcher } from './dispatcher.js'
import { loadAverage } from './loadAverage.js'

/** What Celery's `heartbeat` command puts into the one that it asks for, whatever the interval is. */
const ASKED_FREQ = 5
const DEFAULT_INTERVAL = 2

export interface HeartOptions {
  readonly dispatcher: EventDispatcher
  readonly clock: Clock
  /** Seconds between two beats, 2 unless given; `'none'` for a worker that doesn't announce itself (`--without-heartbeat`). */
  readonly interval: number | 'none' | null
  /** Celeriac's version. */
  readonly version: string
  /** Tasks that run, and runs that were begun since the start. */
  activity(): { readonly active: number; readonly processed: number }
}

/**
 * Tells monitors that the worker is there: online when it begins to take messages, a beat each interval, offline as soon as it
 * begins to stop. Monitors take a worker for dead after two intervals without a beat. Mirrors Celery's `Heart`.
 */
export class Heart {
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly options: HeartOptions) {
    // Monitors may have missed whatever was said before.
    options.dispatcher.onUp(() => {
      if (this.timer) this.say('worker-online')
    })
  }

  /** The worker takes messages, for the first time or again. */
  up(): void {
    if (this.options.interval === 'none' || this.stopped) return
    this.timer?.cancel()
    this.say('worker-online')
    this.wait()
  }

  /** It takes none, because its connection is lost: no beats until `up`, so that monitors see it. */
  down(): void {
    this.timer?.cancel()
    this.timer = null
  }

  /** It begins to stop, and takes no more messages. What still runs ends after this. */
  stop(): void {
    const beating = this.timer !== null
    this.stopped = true
    this.down()
    if (beating) this.say('worker-offline')
  }

  /** One beat that somebody asked for: Celery's `heartbeat` command. */
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
