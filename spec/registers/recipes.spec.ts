import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import {
  type Backend,
  type Broker,
  type BrokerOptions,
  Celery,
  type Conf,
  registerBackend,
  registerBroker,
  registerSerializer,
  type Serializer,
} from 'celeriac'
import { createBackend } from '../../lib/backends/index.js'
import { systemClock } from '../../lib/clock.js'
import { testBackend } from '../../lib/conformance/backend.js'
import { testSerializer } from '../../lib/conformance/serializer.js'
import { MemoryBroker } from '../../lib/memory/broker.js'
import { parseBrokerUrl } from '../../lib/settings/brokerUrl.js'
import { loadSettings } from '../../lib/settings/load.js'
import { createBroker } from '../../lib/worker/brokers.js'
import { FolderBackend } from '../apps/folderBackend.js'
import { tagged } from '../apps/tagged.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { taskMessage } from '../support/message.js'
import { waitFor } from '../support/waitFor.js'

const folder = mkdtempSync(join(tmpdir(), 'celeriac-results-'))
const folderUrl = pathToFileURL(folder).href.replace('file:', 'folder:')
afterAll(() => rmSync(folder, { recursive: true }))

const parts = { publisher: { publish: async () => undefined }, log: new MemoryLog() }
const backendAt = (result_backend: string): Backend => createBackend({ result_backend, result_expires: 60 }, parts)
/** A broker of another scheme: each of its URLs means the one in this process of the same name. */
const other = (options: BrokerOptions): Broker => {
  const [url] = parseBrokerUrl(options.settings.broker_url)
  return new MemoryBroker({ ...options, settings: { ...options.settings, broker_url: `memory://${url?.hostname}` } })
}

registerBackend('folder', (options) => new FolderBackend(options))
registerSerializer(tagged)
registerBroker('other', other, { port: 4222 })

testBackend(it, { name: 'folder:// that is registered', create: () => backendAt(folderUrl), reads: true })
testSerializer(it, { serializer: tagged, bytes: false, longIntegers: false })

describe('what is registered', () => {
  let here: MemoryWorker | null = null
  afterEach(async () => {
    await here?.stop()
    here = null
  })
  const send = async (content: Buffer): Promise<void> => {
    const { settings } = loadSettings({ config: { broker_url: here?.brokerUrl }, env: {}, flags: {} })
    const broker = createBroker({ settings, clock: systemClock, log: () => new MemoryLog() })
    const { properties } = taskMessage('note')
    const message = { exchange: '', routingKey: 'celery', content, mandatory: true }
    await broker.publisher.publish({ ...message, properties: { ...properties, contentType: tagged.contentType } })
  }

  it('is used by a worker and a producer: a broker and a backend', async () => {
    const config: Conf = { result_backend: folderUrl }
    here = await MemoryWorker.start((app) => app.task('add', (x: number, y: number) => x + y), {
      brokerUrl: `other://${randomUUID()}`,
      config,
    })
    expect(await here.outcome('add', [1, 2])).toEqual(['SUCCESS', 3])
    const producer = new Celery('producer', { broker_url: here.brokerUrl, ...config })
    const sent = await producer.sendTask('add', [20, 22])
    expect(await sent.get({ timeout: 60 })).toBe(42)
    await producer.close()
  })

  it.each([
    ['is refused', ['json'], []],
    ['is read', ['json', 'tagged'], [[1, 'two']]],
    ['is read', ['application/x-tagged'], [[1, 'two']]],
  ] as const)('serializer: a message %s where accept_content is %j', async (_, accept, expected) => {
    const seen: unknown[] = []
    here = await MemoryWorker.start((app) => app.task('note', (...args: unknown[]) => void seen.push(args)), {
      config: { accept_content: accept },
    })
    await send(tagged.write([[1, 'two'], {}, {}]))
    const { log, worker } = here
    await waitFor(() => worker.line.state.endings.has('succeeded') || log.of('ERROR').length > 0, { what: 'its end' })
    expect(seen).toEqual(expected)
  })
})

describe('a register', () => {
  const factory = (): never => {
    throw new Error('never')
  }
  const whole: Serializer = { ...tagged, name: 'whole', contentType: 'application/x-whole' }

  it.each([
    [
      'a backend twice',
      () => registerBackend('folder', factory),
      'there is a result backend of the name "folder" already',
    ],
    [
      'a backend of our own',
      () => registerBackend('redis', factory),
      'there is a result backend of the name "redis" already',
    ],
    [
      'a scheme in upper case',
      () => registerBackend('Folder', factory),
      'the scheme is "Folder": expected the part of a URL',
    ],
    ['a URL for a scheme', () => registerBroker('nats://', factory), 'the scheme is "nats://": expected'],
    ['no scheme', () => registerBackend(undefined as never, factory), 'the scheme is undefined: expected'],
    ['no factory', () => registerBackend('s3', {} as never), 'the factory of "s3" is object: expected a function'],
    ['a broker twice', () => registerBroker('other', other), 'there is a broker of the name "other" already'],
    ['a broker of our own', () => registerBroker('amqp', other), 'there is a broker of the name "amqp" already'],
    ['a wrong port', () => registerBroker('nats', other, { port: 70_000 }), 'the port of nats is 70000: expected'],
    ['a serializer twice', () => registerSerializer(tagged), 'there is a serializer for application/x-tagged already'],
    ['a name twice', () => registerSerializer({ ...whole, name: 'json' }), 'a serializer of the name "json" already'],
    ['no name', () => registerSerializer({ ...whole, name: '' }), 'a serializer needs a name'],
    ['no serializer', () => registerSerializer(undefined as never), 'a serializer needs a name'],
    ['no content type', () => registerSerializer({ ...whole, contentType: 'x' }), 'whole needs a contentType'],
    ['no encoding', () => registerSerializer({ ...whole, contentEncoding: '' }), 'whole needs a contentEncoding'],
    ['no read', () => registerSerializer({ ...whole, read: undefined as never }), 'whole has no read()'],
    ['pickle', () => registerSerializer({ ...whole, name: 'pickle' }), 'pickle is not accepted'],
  ])('refuses %s', (_, register, text) => {
    expect(register).toThrow(TypeError)
    expect(register).toThrow(text)
  })

  it('tells when a factory makes nothing that it should', () => {
    registerBackend('hollow', () => ({ name: 'hollow' }) as never)
    expect(() => backendAt('hollow://')).toThrow(
      'result_backend: the factory of hollow returned no backend: it lacks start(), stop()',
    )
    registerBackend('torn', () => {
      throw new Error('the region is missing')
    })
    expect(() => backendAt('torn://')).toThrow('result_backend: the region is missing')
    registerBroker('hollow', () => ({ publisher: {}, results: {} }) as never)
    expect(() => createBroker({ settings: { broker_url: 'hollow://' } } as never)).toThrow(
      'registerBroker: the factory of hollow returned no broker: it lacks declare(), postpone()',
    )
  })

  it('names what it knows where a URL is of another scheme', () => {
    expect(() => backendAt('mongodb://h')).toThrow(/expected one of rpc:\/\/, .*folder:\/\//)
    expect(() => parseBrokerUrl('nats://h')).toThrow(/, or other:\/\//)
  })

  it('shows a URL without its password, with its port, and leaves its query alone', () => {
    const [url] = parseBrokerUrl('other://user:secret@h/path?whatever=1')
    expect(String(url)).toBe('other://user:**@h:4222/path')
    expect(String(parseBrokerUrl('other://h:1')[0])).toBe('other://h:1/')
  })
})
