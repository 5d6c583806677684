import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, chord, group } from '../../lib/index.js'

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
