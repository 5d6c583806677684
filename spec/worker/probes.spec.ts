import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Listeners } from '../../lib/listeners.js'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { loadSettings } from '../../lib/settings/load.js'
import { HttpProbes, type ProbesOptions } from '../../lib/worker/httpProbes.js'
import { Probes } from '../../lib/worker/probes.js'
import { TaskRecords } from '../../lib/worker/records.js'
import { ask } from '../support/ask.js'
import { MemoryLog } from '../support/memoryLog.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('what a worker shows of itself over HTTP', () => {
  const queue = 'spec'
  let app: OfflineApp
  let gated: Gated
  let offline: OfflineLine
  let options: ProbesOptions
  let probes: HttpProbes
  let records: TaskRecords
  let soundings: Listeners<[depths: ReadonlyMap<string, { ready: number; consumers: number }>]>
  let consuming: boolean

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('spec.wait', gated.run)
    offline = new OfflineLine(app)
    consuming = true
    soundings = new Listeners()
  })

  afterEach(async () => {
    for (const component of probes.components) await component.stop()
  })

  async function start(flags: Record<string, unknown>): Promise<void> {
    const { settings } = loadSettings({ config: {}, env: {}, flags })
    const { clock, line } = offline
    records = new TaskRecords(app, settings, clock, NO_TASK_EVENTS)
    options = {
      settings,
      nodename: 'w@spec',
      clock,
      log: () => new MemoryLog(),
      records,
      worker: { readiness: [], breakers: [] },
      line,
      autoscaler: { bounds: { max: 4, min: 4 }, decisions: [], counts: new Map() },
      consumer: {
        queues: [],
        get consuming() {
          return consuming
        },
        intake: () => (consuming ? [{ queue, consumers: 4, messages: 4 }] : []),
        onDepths: (listener) => soundings.add(listener),
      },
      fleets: { describe: () => [] },
      backend: { kept: 0, get: async () => null },
      remote: { panel: { answer: () => null }, dropped: new Map([['control', 2]]) },
    }
    probes = new HttpProbes(options)
    for (const component of settings.without_http ? [] : probes.components) await component.start()
  }

  async function liveness(): Promise<number> {
    return (await ask(probes.address?.port ?? 0, '/livez')).status
  }

  /** A while in which the broker says each second what it has. */
  function pass(seconds: number, ready: number, consumers = 4): void {
    for (let second = 0; second < seconds; second++) {
      soundings.tell(new Map([[queue, { ready, consumers }]]))
      offline.clock.advance(1_000)
    }
  }

  it('is nothing without HTTP, and what the line tells goes where it went', async () => {
    await start({ without_http: true })
    expect(new Probes(options).components).toEqual([])
    expect(records.events).toBe(NO_TASK_EVENTS)
  })

  it('is alive while it has nothing to do, or has its hands full', async () => {
    await start({ worker_http: '127.0.0.1:0' })
    pass(300, 0)
    expect(await liveness()).toBe(200)
    for (const name of ['a', 'b', 'c', 'd']) offline.deliver('spec.wait', { args: [name] })
    pass(3_600, 50)
    expect(await liveness()).toBe(200)
  })

  it('is dead once it has got nothing for two minutes of what waits for it alone', async () => {
    await start({ worker_http: '127.0.0.1:0' })
    pass(119, 50)
    expect(await liveness()).toBe(200)
    pass(5, 50)
    expect(await liveness()).toBe(503)
  })

  it('is alive while the broker is away, or gives its messages to others', async () => {
    await start({ worker_http: '127.0.0.1:0' })
    pass(300, 50, 8)
    expect(await liveness()).toBe(200)
    pass(60, 50)
    consuming = false
    offline.clock.advance(600_000)
    expect(await liveness()).toBe(200)
  })

  it('knows the depth of a queue for as long as that holds good', async () => {
    await start({ worker_http: '127.0.0.1:0' })
    expect(probes.depthOf(queue)).toBeUndefined()
    soundings.tell(new Map([[queue, { ready: 7, consumers: 4 }]]))
    expect(probes.depthOf(queue)).toMatchObject({ ready: 7, consumers: 4 })
    offline.clock.advance(10_001)
    expect(probes.depthOf(queue)).toBeUndefined()
  })

  it('counts what was no task and could not be read or sent', async () => {
    await start({ worker_http: '127.0.0.1:0' })
    const { body } = await ask(probes.address?.port ?? 0, '/metrics')
    expect(body).toMatch(/^celery_worker_dropped_total\{hostname="[^"]+",kind="control"\} 2$/m)
  })
})
