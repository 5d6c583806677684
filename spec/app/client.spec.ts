import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { BrokerOutlet } from '../../lib/app/brokerOutlet.js'
import { createBackend } from '../../lib/backends/index.js'
import { systemClock } from '../../lib/clock.js'
import { Celery, chord, group, registerBackend } from '../../lib/index.js'
import { loadSettings } from '../../lib/settings/load.js'
import { createBroker } from '../../lib/worker/brokers.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('a program that has not sent anything yet', () => {
  let apps: Celery[]
  let broker_url: string

  beforeEach(() => {
    apps = []
    broker_url = `memory://${randomUUID()}`
  })

  afterEach(() => Promise.all(apps.map((app) => app.close())))

  function appWith(result_backend?: string): Celery {
    const app = new Celery('client', { broker_url, result_backend })
    apps.push(app)
    return app
  }

  it('restores a group, and deletes it', async () => {
    const sender = appWith('cache+memory://')
    const sent = await group(sender.signature('a'), sender.signature('b')).delay()
    await sent.save()
    const restored = await appWith('cache+memory://').restoreGroup(sent.id)
    expect(JSON.stringify(restored)).toBe(JSON.stringify(sent))
    await restored?.delete()
    expect(await appWith('cache+memory://').restoreGroup(sent.id)).toBeNull()
  })

  it('is told which result backend keeps no groups', async () => {
    await expect(appWith('rpc://').restoreGroup('g')).rejects.toThrow('The result backend rpc:// keeps no groups')
    await expect(appWith().restoreGroup('g')).rejects.toThrow('The result backend disabled:// keeps no groups')
  })

  it.each([
    ['rpc://', /^The "rpc" result backend does not support chords!/],
    [undefined, /^Starting chords requires a result backend to be configured\./],
  ])("is told in Python's words that there are no chords over %s", async (backend, text) => {
    const app = appWith(backend)
    await expect(chord([app.signature('a')], app.signature('b')).delay()).rejects.toThrow(text)
  })

  it.each([
    [{ queue: 'q' }, /^the broker can't be reached: .* \(after 3 retries\)$/],
    [{ queue: 'q', retry: false }, /^the broker can't be reached: [^(]*$/],
    [{ exchange: 'e', retry: false }, /^the broker can't be reached: [^(]*$/],
  ])('waits for the broker as the call %j says, although results come from there too', async (options, text) => {
    broker_url = 'amqp://127.0.0.1:1//'
    await expect(appWith('rpc://').sendTask('a', [], {}, options)).rejects.toThrow(text)
  })
})

describe('a program whose result backend fails to stop', () => {
  const conf = () => ({ broker_url: `memory://${randomUUID()}`, result_backend: 'stuck://' })

  beforeAll(() =>
    registerBackend('stuck', () => ({
      name: 'stuck://',
      storesNothing: false,
      start: async () => undefined,
      stop: () => Promise.reject(new Error('stuck')),
      healthy: () => true,
      store: async () => undefined,
      get: async () => null,
      subscribe: async () => async () => undefined,
      forget: async () => undefined,
    })),
  )

  it('is told, and can send again afterwards', async () => {
    const app = new Celery('client', conf())
    await app.sendTask('a')
    await expect(app.close()).rejects.toThrow('stuck')
    await app.sendTask('b')
    await expect(app.close()).rejects.toThrow('stuck')
  })

  it('closes its connection to the broker all the same', async () => {
    const { settings } = loadSettings({ config: conf(), env: {}, flags: {} })
    const broker = createBroker({ settings, clock: systemClock, log: () => new MemoryLog() })
    const outlet = new BrokerOutlet(
      broker,
      createBackend(settings, { publisher: broker.publisher, log: new MemoryLog() }),
      settings,
    )
    await expect(outlet.close()).rejects.toThrow('stuck')
    await expect(broker.publishing()).rejects.toThrow('closed')
  })
})
