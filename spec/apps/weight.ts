/*
 * Prints which files an import of the package has loaded, or a worker that has run a task: weight.js import|worker|everything
 */
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
  const { readYaml } = await import(new URL('../../dist/protocol/content/yaml.js', import.meta.url).href)
  const { writeMsgpack } = await import(new URL('../../dist/protocol/content/msgpack.js', import.meta.url).href)
  readYaml('a: 1', { maxItems: 100, maxNesting: 10 })
  writeMsgpack({ a: 1 })
}

const files = new Set(Object.keys(createRequire(import.meta.url).cache).map((file) => `file://${file}`))
for (let heard = receiveMessageOnPort(port1); heard; heard = receiveMessageOnPort(port1)) files.add(heard.message)
const packages: Record<string, number> = {}
const own: string[] = []
for (const url of files) {
  const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  const file = /\/dist\/(?!.*node_modules)(.*)$/.exec(url)?.[1]
  if (name !== undefined) packages[name] = (packages[name] ?? 0) + 1
  else if (file !== undefined) own.push(file)
}
console.log(JSON.stringify({ packages, own }))
process.exit()
