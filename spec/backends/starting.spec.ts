import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { StartingBackend } from '../../lib/backends/starting.js'
import { Celery } from '../../lib/celery.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('StartingBackend', () => {
  it('starts once, and again after a start that failed', async () => {
    const inner = new MemoryBackend()
    let starts = 0
    inner.start = async () => {
      if (++starts === 1) throw new Error('not yet')
    }
    const backend = new StartingBackend(inner)
    await expect(backend.get('a')).rejects.toThrow('not yet')
    expect(await Promise.all([backend.get('a'), backend.get('b')])).toEqual([null, null])
    expect(starts).toBe(2)
  })
})

describe('a client process that has sent nothing', () => {
  let app: Celery

  beforeEach(() => {
    app = new Celery('client', { broker_url: brokerUrl(), result_backend: redisUrl() })
  })

  afterEach(() => app.close())

  it('asks for the state of a task, as an HTTP endpoint does', async () => {
    expect(await app.asyncResult(randomUUID()).state()).toBe('PENDING')
  })

  it('asks for several at once', async () => {
    const asked = [app.asyncResult(randomUUID()), app.asyncResult(randomUUID())]
    expect(await Promise.all([...asked.map((result) => result.ready()), asked[0]?.result()])).toEqual([
      false,
      false,
      null,
    ])
  })

  it('waits for a result', async () => {
    await expect(app.asyncResult(randomUUID()).get({ timeout: 0.05 })).rejects.toThrow('The operation timed out')
  })

  it('goes on asking after the app was closed', async () => {
    const result = app.asyncResult(randomUUID())
    expect(await result.state()).toBe('PENDING')
    await app.close()
    expect(await result.state()).toBe('PENDING')
    await result.forget()
  })

  it('asks its own reply queue with rpc://', async () => {
    const rpc = new Celery('client', { broker_url: brokerUrl(), result_backend: 'rpc://' })
    expect(await rpc.asyncResult(randomUUID()).state()).toBe('PENDING')
    await rpc.close()
  })

  it.each([
    ['redis://', () => redisUrl()],
    ['rpc://', () => 'rpc://'],
    ['cache+memory://', () => 'cache+memory://'],
  ])('waits no longer for a result in %s once it is closed', async (_, backend) => {
    const own = new Celery('client', { broker_url: brokerUrl(), result_backend: backend() })
    const result = own.asyncResult(randomUUID())
    const states: string[] = []
    const following = (async () => {
      for await (const { state } of result.states()) states.push(state)
    })()
    following.catch(() => undefined)
    // By then it is subscribed.
    await waitFor(() => states.length === 1, { what: 'the first state' })
    const getting = result.get()
    const closing = own.close()
    for (const wait of [following, getting]) {
      await expect(wait).rejects.toThrow('the app was closed while its result was waited for')
    }
    await closing
  })
})
