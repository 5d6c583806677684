import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { connectionOptions } from '../../lib/amqp/options.js'
import { AmqpPublisher } from '../../lib/amqp/publisher.js'
import { GuardedBackend } from '../../lib/backends/guarded.js'
import { systemClock } from '../../lib/clock.js'
import { loadSettings } from '../../lib/settings/load.js'
import { WorkerBreakers } from '../../lib/worker/breakers.js'
import { FakeBreaker } from '../support/fakeBreaker.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'
import { OfflineApp } from '../support/offlineLine.js'

describe('WorkerBreakers', () => {
  let log: MemoryLog
  let publisher: AmqpPublisher
  let service: FakeBreaker
  let breakers: WorkerBreakers
  let inner: MemoryBackend

  beforeEach(async () => {
    log = new MemoryLog()
    inner = new MemoryBackend()
    const { settings } = loadSettings({ config: { broker_url: 'amqp://me:hunter22@host//' }, env: {}, flags: {} })
    publisher = new AmqpPublisher(connectionOptions('producer', settings, systemClock, log))
    const backend = new GuardedBackend(inner, { clock: systemClock, log })
    const app = new OfflineApp('spec')
    service = new FakeBreaker()
    app.breakers.add(service)
    breakers = new WorkerBreakers({ app, backend, publisher, settings, log })
    await breakers.start()
  })
  afterEach(() => breakers.stop())

  it("lists the worker's own first, with what went wrong last, but no secret", () => {
    publisher.state.begin('lost', new Error('password hunter22 refused'))
    expect([...breakers]).toEqual([
      { name: 'results', state: 'closed', opens: 0, lastError: null },
      { name: 'publisher', state: 'open', opens: 1, lastError: 'password ** refused' },
      { name: 'service', state: 'closed', opens: 0, lastError: null },
    ])
  })

  it('names what more slots would wait for', () => {
    expect(breakers.heldUpBy).toBeNull()
    service.set('open')
    expect(breakers.heldUpBy).toBe('service')
    service.set('half-open')
    expect(breakers.heldUpBy).toBeNull()
    service.set('open')
    publisher.state.begin('lost', new Error('away'))
    expect(breakers.heldUpBy).toBe('publisher')
    inner.away = true
    expect(breakers.heldUpBy).toBe('results')
    inner.away = false
    publisher.state.end('lost')
    expect(breakers.heldUpBy).toBe('service')
    service.set('closed')
    expect(breakers.heldUpBy).toBeNull()
  })

  it("tells what of the worker's own work waits; a service of the tasks is none of it", () => {
    service.set('open')
    publisher.state.begin('lost', new Error('away'))
    expect(breakers.waits).toEqual([])
    publisher.held = 1
    inner.away = true
    expect(breakers.waits).toEqual([
      expect.stringMatching(/^results wait: .* can't be reached$/),
      'messages wait: the broker accepts none',
    ])
  })

  it("writes one line for each change of an app's breaker, and none after its stop", async () => {
    service.lastError = 'no answer'
    for (const state of ['open', 'half-open', 'closed'] as const) service.set(state)
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['WARNING', 'Breaker service is open: no answer'],
      ['INFO', 'Breaker service is half open: one call is let through to test it'],
      ['INFO', 'Breaker service is closed again'],
    ])
    await breakers.stop()
    service.set('open')
    expect(log.lines).toHaveLength(3)
    expect(service.followers).toBe(0)
  })
})
