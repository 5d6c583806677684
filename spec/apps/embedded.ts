/*
 * A program with an HTTP server and two workers beside it, which it starts and stops many times: of one app, or of two. Prints what that has
 * left behind. Run with --expose-gc: embedded.js BROKER_URL QUEUE QUEUE ROUNDS
 */
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type AsyncResult, Celery, Worker } from 'celeriac'

/** What holds a process, or grows in it. */
export interface Holdings {
  /** By kind, how many. */
  readonly resources: Readonly<Record<string, number>>
  /** By event of the process and of its streams, how many listeners. */
  readonly listeners: Readonly<Record<string, number>>
}

export interface Report {
  readonly before: Holdings
  readonly after: Holdings
  /** Bytes of the heap after each round. */
  readonly heap: readonly number[]
  /** What Node has warned of. */
  readonly warnings: readonly string[]
}

const [brokerUrl = '', ofShop = '', ofPost = '', rounds = '1'] = process.argv.slice(2)
/** The connection by which the program itself sends. */
const OWN_SOCKETS = brokerUrl.startsWith('memory') ? 0 : 1
const PATIENCE_MS = 10_000
const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined)
const conf = { broker_url: brokerUrl, result_backend: 'cache+memory://' }
const warnings: string[] = []
process.on('warning', ({ message }) => void warnings.push(message))

const shop = new Celery('shop', conf)
const add = shop.task('add', (x: number, y: number) => x + y)
shop.breaker('service', async () => 'ok')
const post = new Celery('post', conf)
const greet = post.task(
  'greet',
  async (name: string) => `hello ${name}, ${await take(await add.applyAsync([1, 2], {}, { queue: ofShop }))}`,
)

const server = createServer((_, response) => {
  greet
    .applyAsync(['you'], {}, { queue: ofPost })
    .then(take)
    .then((text) => response.end(text))
    .catch((thrown) => response.writeHead(500).end(String(thrown)))
})

/** Leaves nothing of it in the backend, which would grow. */
async function take<T>(result: AsyncResult<T>): Promise<T> {
  const value = await result.get({ timeout: 60 })
  await result.forget()
  return value
}

/** Each round: of two apps, and a further one of the first. All listen for probes. */
async function round(): Promise<void> {
  const common = { logLevel: 'ERROR', concurrency: 4, http: '127.0.0.1:0' } as const
  const workers = [
    new Worker(shop, { ...common, queues: ofShop }),
    new Worker(shop, { ...common, queues: ofShop }),
    new Worker(post, { ...common, queues: ofPost }),
  ]
  await Promise.all(workers.map((worker) => worker.start()))
  await Promise.all(workers.map((worker) => worker.ready))
  const { port } = server.address() as AddressInfo
  // Not `fetch`, of which Node keeps a record each time.
  const [response] = (await once(get({ port, host: '127.0.0.1', agent: false }), 'response')) as [IncomingMessage]
  const answer = await text(response)
  if (answer !== 'hello you, 3') throw new Error(answer)
  const [first, ...others] = workers
  await Promise.all([first?.stop(), ...others.map((worker) => worker.terminate())])
}

function holdings(): Holdings {
  const sources = { process, stdout: process.stdout, stderr: process.stderr }
  return {
    resources: counted(process.getActiveResourcesInfo()),
    listeners: Object.fromEntries(
      Object.entries(sources).flatMap(([name, source]) =>
        source.eventNames().map((event) => [`${name} ${String(event)}`, source.listenerCount(event)]),
      ),
    ),
  }
}

function counted(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  // A timer that is cancelled, or what is called next, is no more in the next turn.
  for (const kind of kinds) if (kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** A socket that was closed is gone when its peer has closed it, too; one that stays is told. */
async function settled(): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while ((holdings().resources.TCPSocketWrap ?? 0) > OWN_SOCKETS && performance.now() < until) await pause(1)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
// The first ones load modules, and open the connection by which the program itself sends.
for (let warm = 0; warm < 3; warm++) await round()
await settled()
const before = holdings()
const heap: number[] = []
for (let number = 0; number < Number(rounds); number++) {
  await round()
  await settled()
  collect()
  heap.push(process.memoryUsage().heapUsed)
}
const report: Report = { before, after: holdings(), heap, warnings }
console.log(JSON.stringify(report))
server.close()
await shop.close()
await post.close()
