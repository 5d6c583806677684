import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Connection } from '../../lib/amqp/connection.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import type { ConsumedQueue } from '../../lib/amqp/queueKind.js'
import { Window } from '../../lib/amqp/window/window.js'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import { systemClock } from '../../lib/clock.js'
import { InlineExecutor } from '../../lib/executors/inline.js'
import { Line } from '../../lib/line/line.js'
import { Revoked } from '../../lib/request/revoked.js'
import { WorkerState } from '../../lib/request/state.js'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Client } from '../support/client.js'
import { consumedQueue } from '../support/consumedQueue.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const KEYS = 500
const SLOTS = 16

describe('order of a queue, by key, while slots come and go', () => {
  let client: Client
  let queue: string
  let connection: Connection | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
  })

  async function fill(count: number, args: Record<string, unknown> = {}): Promise<void> {
    queue = await client.queue(args)
    // Two by two, as an end follows its start.
    const keyOf = (n: number): string => `k${Math.floor(n / 2) % KEYS}`
    await client.publish(
      queue,
      Array.from({ length: count }, (_, n) => taskMessage('spec.step', { kwargs: { n, key: keyOf(n) } })),
    )
  }

  afterEach(async () => {
    await connection?.stop()
    await client.close()
  })

  /** Drains the queue with so many channels and counts the runs that began out of their key's order, or beside one of their key. */
  async function drain(
    count: number,
    channels: number,
    kinds: ReadonlyMap<string, ConsumedQueue> = new Map(),
  ): Promise<{ inversions: number; done: number; resizes: number }> {
    const last = new Map<string, number>()
    const running = new Set<string>()
    let inversions = 0
    let done = 0
    const app = new OfflineApp('spec')
    app.task('spec.step', { params: ['n', 'key'], orderBy: 'kwargs.key' }, async (n: number, key: string) => {
      if (running.has(key) || n < (last.get(key) ?? -1)) inversions++
      last.set(key, n)
      running.add(key)
      await new Promise(setImmediate)
      running.delete(key)
      done++
    })
    const { settings } = loadSettings({ config: { broker_url: brokerUrl() }, env: {}, flags: {} })
    const log = new MemoryLog()
    const quiet = { ...log, isEnabled: () => false }
    const line = new Line({
      app,
      state: new WorkerState(),
      executor: new InlineExecutor({
        app,
        hooks: app.hooks,
        resourceTimeoutMs: 30_000,
        clock: systemClock,
        log,
        hostname: 'w@spec',
        size: SLOTS,
        onStray: () => undefined,
      }),
      backend: createDisabledBackend(),
      events: NO_TASK_EVENTS,
      settings,
      nodename: 'w@spec',
      clock: systemClock,
      slots: SLOTS,
      log: () => quiet,
      revoked: new Revoked(systemClock),
      postpone: async () => false,
      publisher: { publish: async () => undefined },
    })
    let sequence = 0
    const windows: Window[] = []
    const capacity = (slots: number): void => {
      const parked = line.state.parkedFrom(queue)
      const total = slots + parked
      windows.forEach((window, at) => {
        window.resize(new Map([[queue, Math.floor(total / channels) + (at < total % channels ? 1 : 0)]]))
      })
    }
    let slots = SLOTS
    line.state.onParked(() => capacity(slots))
    const up = new Promise<Epoch>((resolve) => {
      connection = new Connection({
        ...connectionOptions('consumer', settings, systemClock, log),
        onUp: async (epoch) => resolve(epoch),
        onDown: async () => undefined,
      })
      void connection.start()
    })
    const epoch = await up
    for (let at = 0; at < channels; at++) {
      windows.push(
        new Window({
          epoch,
          prefetch: 1,
          kinds,
          log,
          nextSequence: () => ++sequence,
          onDelivery: (delivery) => line.receive(delivery),
          declare: async () => undefined,
        }),
      )
    }
    let resizes = 0
    capacity(slots)
    const resizing = setInterval(() => {
      slots = 1 + Math.floor(Math.random() * SLOTS)
      line.pool.resize(slots)
      capacity(slots)
      resizes++
    }, 5)
    await waitFor(() => done >= count, { what: 'all messages to run' })
    clearInterval(resizing)
    line.close()
    return { inversions, done, resizes }
  }

  it('is kept by consumers on one channel', async () => {
    await fill(20_000)
    const { inversions, done, resizes } = await drain(20_000, 1)
    expect({ inversions, done }).toEqual({ inversions: 0, done: 20_000 })
    expect(resizes).toBeGreaterThan(50)
    expect(await client.depth(queue)).toBe(0)
  })

  it('is broken by a channel a slot, so that the count of inversions is known to find them', async () => {
    await fill(20_000)
    expect((await drain(20_000, SLOTS)).inversions).toBeGreaterThan(0)
  })

  it('is kept on a quorum queue by one consumer that stays the same', async () => {
    await fill(5_000, { 'x-queue-type': 'quorum' })
    const { inversions, done } = await drain(
      5_000,
      1,
      new Map([[queue, consumedQueue({ type: 'quorum', fixed: SLOTS })]]),
    )
    expect({ inversions, done }).toEqual({ inversions: 0, done: 5_000 })
  })
})
