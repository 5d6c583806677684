import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Loaded by those who use them. */
const RARE = [
  '@msgpack/msgpack',
  '@opentelemetry/api',
  'ioredis',
  'piscina',
  'prom-client',
  're2js',
  'seek-bzip',
  'yaml',
]

/** The names of the outside packages that a program has loaded when it is through. */
async function loadedBy(program: string): Promise<readonly string[]> {
  const told = `
    const { createRequire } = await import('node:module')
    const found = Object.keys(createRequire(import.meta.url).cache)
      .map((file) => /.*node_modules[/\\\\]((?:@[^/\\\\]+[/\\\\])?[^/\\\\]+)/.exec(file)?.[1])
    console.log(JSON.stringify([...new Set(found)]))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program + told], {
    cwd: ROOT,
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as string[]
}

const WORKER = `
  const { Celery, Worker } = await import('./dist/index.js')
  const app = new Celery('lazy', { broker_url: 'memory://', result_backend: 'cache+memory://' })
  const add = app.task('add', (one, other) => one + other)
  const worker = new Worker(app, { queues: ['celery'], concurrency: 2 })
  await worker.start()
  await worker.ready`

it('loads for a worker nothing that it does not use', async () => {
  const loaded = await loadedBy(`${WORKER}; await worker.stop()`)
  expect(loaded).toContain('winston')
  expect(RARE.filter((name) => loaded.includes(name))).toEqual([])
})

it('loads for a program that only names its app and its tasks no package at all', async () => {
  const loaded = await loadedBy(`
    const { Celery } = await import('./dist/index.js')
    const app = new Celery('lazy', { broker_url: 'amqp://nobody@127.0.0.1:1//' })
    app.task('add', (one, other) => one + other)`)
  expect(loaded).toEqual([])
})

it('loads what is used when it is used', async () => {
  const loaded = await loadedBy(`
    const { dumps } = await import('./dist/protocol/content/content.js')
    dumps(1, 'yaml')
    dumps(1, 'msgpack')`)
  expect(loaded).toEqual(expect.arrayContaining(['yaml', '@msgpack/msgpack']))
  expect(loaded).not.toContain('ioredis')
})
