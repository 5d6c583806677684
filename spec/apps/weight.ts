/*
 * Prints which of our modules and which files of packages an import of the package has loaded, or a worker that has run a task: weight.js import|worker|everything
 */
import { readFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

/** Tells of each module that is loaded; what is required is in the cache of `require`. */
const HOOK = `
let port
export function initialize(data) { port = data.port }
export async function load(url, context, next) {
  port.postMessage(url)
  return next(url, context)
}`

const PARTS = new URL('../parts.json', import.meta.url)
const parts: Record<string, readonly string[]> = JSON.parse(readFileSync(PARTS, 'utf8'))

const [what] = process.argv.slice(2)
const { port1, port2 } = new MessageChannel()
register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: { port: port2 }, transferList: [port2] })
const { Celery, Worker } = await import('celeriac')

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
if (what !== 'import') {
  const app = new Celery('weight', { broker_url: 'memory://', result_backend: 'cache+memory://' })
  const add = app.task('add', (x: number, y: number) => x + y)
  const worker = new Worker(app, what === 'worker' ? { logger: quiet } : { http: 0, logLevel: 'CRITICAL' })
  await worker.start()
  await worker.ready
  await (await add.delay(1, 2)).get({ timeout: 60 })
  const { httpAddress } = worker
  if (httpAddress) await (await fetch(`http://127.0.0.1:${httpAddress.port}/metrics`)).text()
  await worker.stop()
  await app.close()
}
if (what === 'everything') {
  // Nobody is there; what would talk to them is loaded.
  const nobody = { brokerUrl: 'amqp://127.0.0.1:1', brokerConnectionRetryOnStartup: false } as const
  const app = new Celery('weight', { result_backend: 'redis://127.0.0.1:1', task_default_queue: 'weight' })
  const worker = new Worker(app, { ...nobody, logger: quiet })
  await worker.start().catch(() => undefined)
  await worker.ended
  const other = new Celery('other', { broker_url: 'memory://', task_routes: { '*': 'other' } })
  for (const serializer of ['yaml', 'msgpack']) await other.sendTask('add', [1, 2], {}, { serializer })
  await other.close()
}

const files = new Set(Object.keys(createRequire(import.meta.url).cache).map((file) => `file://${file}`))
for (let heard = receiveMessageOnPort(port1); heard; heard = receiveMessageOnPort(port1)) files.add(heard.message)
const packages: Record<string, number> = {}
const own: string[] = []
for (const url of files) {
  const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  const file = /\/dist\/(?!.*node_modules)(.*)$/.exec(url)?.[1]
  if (name !== undefined) packages[name] = (packages[name] ?? 0) + 1
  // The build has put several modules into one file.
  else if (file !== undefined) own.push(...(parts[file] ?? []))
}
console.log(JSON.stringify({ packages, own }))
process.exit()
