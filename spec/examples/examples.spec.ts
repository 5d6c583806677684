import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RemoteError } from 'celeriac'
import { type TestWorker, testWorker } from 'celeriac/testing'
import { waitFor } from '../support/waitFor.js'
import type { CoprEvent } from './packit/app.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const LONGEST = 60
const WAIT = { timeout: 120 }
const SLOTS = 2

const examples = readdirSync(HERE, { withFileTypes: true }).filter((entry) => entry.isDirectory())

describe.each(examples.map(({ name }) => name))('the example %s', (name) => {
  const lines = (file: string): number =>
    readFileSync(join(HERE, name, file), 'utf8')
      .trimEnd()
      .split('\n').length
  const files = readdirSync(join(HERE, name))

  it('is short, and says in three lines what it is', () => {
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) expect([file, lines(file)]).toEqual([file, Math.min(lines(file), LONGEST)])
    expect(lines('README.md')).toBe(3)
  })
})

describe("Packit's events", () => {
  let worker: TestWorker

  afterAll(() => worker.stop())

  it('of one chroot run in their order, chroots side by side, and the end of the build after all of them', async () => {
    const { default: app, coprEvent, forge } = await import('./packit/app.js')
    const journal: string[] = []
    forge.report = async (state) => {
      journal.push(`+ ${state}`)
      // The first chroot is slow: the second doesn't wait for it.
      if (state === '1 f41 start') await waitFor(() => journal.includes('- 1 f42 start'), { what: 'the other chroot' })
      journal.push(`- ${state}`)
    }
    worker = await testWorker(app, { concurrency: 8 })
    const events: CoprEvent[] = [
      { build_id: 1, chroot: 'f41', what: 'start' },
      { build_id: 1, chroot: 'f41', what: 'end' },
      { build_id: 1, chroot: 'f42', what: 'start' },
      { build_id: 1, what: 'end' },
      { build_id: 1, chroot: 'f42', what: 'end' },
    ]
    const sent = []
    for (const event of events) sent.push(await coprEvent.delay({ event }))
    for (const result of sent) await result.get(WAIT)
    expect(journal).toEqual([
      '+ 1 f41 start',
      '+ 1 f42 start',
      '- 1 f42 start',
      '- 1 f41 start',
      '+ 1 f41 end',
      '- 1 f41 end',
      '+ 1 all end',
      '- 1 all end',
      '+ 1 f42 end',
      '- 1 f42 end',
    ])
  })
})

describe('a service behind a breaker', () => {
  const said: string[] = []
  let refused = 0
  let isAway = true
  const service = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      if (isAway) refused++
      else said.push(text)
      response.writeHead(isAway ? 503 : 204).end()
    })
  })
  let worker: TestWorker

  beforeAll(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    process.env.CHAT_URL = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`
  })
  afterAll(async () => {
    await worker.stop()
    service.close()
  })

  it('gets every message in the end, and while it is away no more calls than one to try', async () => {
    const { default: app, say } = await import('./breaker/app.js')
    let retries = 0
    app.on('taskRetry', () => void retries++)
    worker = await testWorker(app, { concurrency: SLOTS })
    const texts = Array.from({ length: 10 }, (_, index) => `message ${index}`)
    const sent = await Promise.all(texts.map((text) => say.delay(text)))
    const [breaker] = app.breakers
    await waitFor(() => (breaker?.opens ?? 0) > 3, { what: 'the breaker to have let some calls try' })
    // One for each call, and for those that were on their way when it opened: what waits is not tried.
    expect(retries).toBeLessThanOrEqual(refused + SLOTS)
    isAway = false
    for (const result of sent) await result.get(WAIT)
    expect(said.sort()).toEqual(texts)
  })
})

describe('typed tasks with zod', () => {
  it('check what arrives, and fill in what is missing', async () => {
    const { default: app, orderNothing, orderPears } = await import('./zod/app.js')
    await using _worker = await testWorker(app)
    expect(await orderPears()).toBe('1.50 EUR')
    await expect(orderNothing()).rejects.toThrow(RemoteError)
    await expect(orderNothing()).rejects.toThrow(/items/)
    const fromPython = await app.sendTask('shop.invoice', [], {
      id: 9,
      items: [{ name: 'fig', price: 2 }],
      currency: 'USD',
    })
    expect(await fromPython.get(WAIT)).toEqual({ id: 9, total: '2.00 USD' })
  })
})
