import { App } from '../../lib/app/app.js'
import type { Outlet } from '../../lib/app/outlet.js'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import type { CanvasOutlet } from '../../lib/canvas/outlet.js'
import type { Executor } from '../../lib/executors/executor.js'
import { InlineExecutor } from '../../lib/executors/inline.js'
import { Line } from '../../lib/line/line.js'
import type { Backend } from '../../lib/ports.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import type { Postpone } from '../../lib/request/departures.js'
import type { RunTally } from '../../lib/request/poison.js'
import { Revoked } from '../../lib/request/revoked.js'
import { WorkerState } from '../../lib/request/state.js'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'
import { loadSettings } from '../../lib/settings/load.js'
import { FakeClock } from './fakeClock.js'
import { FakeDelivery } from './fakeDelivery.js'
import { MemoryLog } from './memoryLog.js'
import { type MessageOptions, taskMessage } from './message.js'

/** An app that no message leaves. */
export class OfflineApp extends App {
  protected open(): Outlet {
    throw new Error('this app sends nothing')
  }
}

/** The whole line of a worker, real but for the broker and the clock: deliveries are put in by hand, and seen settled. */
export class OfflineLine {
  readonly clock = new FakeClock()
  readonly log = new MemoryLog()
  readonly published: OutgoingMessage[] = []
  /** In the order of their settlement. */
  readonly settled: FakeDelivery[] = []
  readonly line: Line
  readonly executor: InlineExecutor
  /** Called before a message counts as published. */
  onPublish: () => Promise<void> = async () => undefined

  constructor(
    app: App,
    options: {
      slots?: number
      config?: Record<string, unknown>
      backend?: Backend
      events?: TaskEvents
      postpone?: Postpone
      tally?: RunTally
      canvas?: CanvasOutlet
      executor?: Executor
    } = {},
  ) {
    const { settings, faults } = loadSettings({ config: options.config ?? {}, env: {}, flags: {} })
    if (faults.length > 0) throw new Error(faults.join('\n'))
    const { clock, log } = this
    const state = new WorkerState()
    const onStray = (by: number): void => {
      state.strays += by
    }
    const size = options.slots ?? 4
    const around = { app, hooks: app.hooks, resourceTimeoutMs: 30_000 }
    this.executor = new InlineExecutor({ ...around, clock, log, hostname: 'w@spec', size, onStray })
    this.line = new Line({
      app,
      state,
      executor: options.executor ?? this.executor,
      backend: options.backend ?? createDisabledBackend(),
      events: options.events ?? NO_TASK_EVENTS,
      settings,
      nodename: 'w@spec',
      clock,
      slots: options.slots ?? 4,
      log: () => log,
      revoked: new Revoked(clock, 1000),
      postpone: options.postpone ?? (async () => false),
      ...(options.canvas ? { canvas: options.canvas } : {}),
      ...(options.tally ? { tally: options.tally } : {}),
      publisher: {
        publish: async (message) => {
          await this.onPublish()
          this.published.push(message)
        },
      },
    })
  }

  deliver(task: string, options: MessageOptions = {}): FakeDelivery {
    const { properties, content } = taskMessage(task, options)
    return this.deliverRaw(new FakeDelivery(properties, content, 'spec', (delivery) => this.settled.push(delivery)))
  }

  deliverRaw(delivery: FakeDelivery): FakeDelivery {
    this.line.receive(delivery)
    return delivery
  }

  /** Lets promises run their course, without any time passing. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A task that ends when it is told to. */
export class Gated {
  readonly started: string[] = []
  private readonly ends = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>()

  /** The handler: its one argument names the run. */
  readonly run = (name: string, _other: unknown = null, _third: unknown = null): Promise<void> => {
    this.started.push(name)
    return new Promise((resolve, reject) => this.ends.set(name, { resolve, reject }))
  }

  end(name: string): void {
    this.take(name).resolve()
  }

  fail(name: string, error: unknown): void {
    this.take(name).reject(error)
  }

  private take(name: string): { resolve: () => void; reject: (error: unknown) => void } {
    const end = this.ends.get(name)
    if (!end) throw new Error(`${name} isn't running`)
    this.ends.delete(name)
    return end
  }
}
