/*
 * The app that the specs of the prefork and threads pools load into their children. With CPU_SENT, what it sends goes into that
 * file instead of to a broker; with CPU_HELLO, each child that loads it prints that.
 */
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { Celery, Ignore, Reject, SoftTimeLimitExceeded, type TaskContext } from 'celeriac'
import { ODDITIES } from '../support/oddities.js'

const { CPU_SENT: sent, CPU_HELLO: hello } = process.env
if (hello !== undefined) console.log(hello)

function note(what: unknown): void {
  if (sent !== undefined) appendFileSync(sent, `${JSON.stringify(what)}\n`)
}

class Noting extends Celery {
  protected override open() {
    return {
      route: () => ({ exchange: '', routingKey: 'next', priority: 0, queue: 'next' }),
      prepare: async () => note({ prepared: 'next' }),
      backend: {
        name: 'none://',
        storesNothing: false,
        start: async () => undefined,
        stop: async () => undefined,
        healthy: () => true,
        store: async () => undefined,
        get: async () => null,
        subscribe: async () => async () => undefined,
        forget: async () => undefined,
      },
      send: async ({ properties }: { properties: { headers?: unknown } }) => note(properties.headers),
      close: async () => note({ closed: true }),
    }
  }
}

const app = sent === undefined ? new Celery('cpu') : new Noting('cpu')
const held: unknown[] = []
let kept: { readonly self: TaskContext; readonly idle: Promise<string> } | null = null

class Overheated extends Error {
  static readonly excModule = 'plant.errors'
  readonly args = ['too hot', 451, { at: 'core' }]
}

function spin(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

app.task('cpu.spin', (ms: number) => {
  spin(ms)
  return 'spun'
})

/** Takes its child for itself until the file is there. */
app.task('cpu.spinUntil', (file: string) => {
  while (!existsSync(file));
  return 'spun'
})

app.task('cpu.where', () => ({ pid: process.pid, thread: threadId }))

app.task('cpu.echo', { params: ['value', 'other'] }, (value: unknown, other: unknown = null) => [value, other])

app.task('cpu.request', { bind: true }, (self: TaskContext, ..._args: never[]) => self.request)

app.task('cpu.fail', (how: string) => {
  if (how === 'own') throw new Overheated('451 degrees')
  if (how === 'text') throw 'not an error'
  if (how === 'circle') {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    return circle
  }
  if (how === 'depth') {
    let deep: unknown = null
    // Too deep for the worker, and not for a thread, whose stack is larger.
    for (let level = 0; level < 4000; level++) deep = new Set([deep])
    return deep
  }
  throw new TypeError('that is no number')
})

app.task('cpu.odd', { bind: true }, (self: TaskContext, way: string, what: string) => {
  const make = ODDITIES[what]
  if (!make) throw new Error(`there is no oddity ${what}`)
  if (way === 'returns') return make()
  if (way === 'logs') self.log.info(make() as string, make() as Record<string, unknown>)
  if (way === 'stores') return self.updateState({ state: 'PROGRESS', meta: make() })
  if (way === 'retries') throw self.retry({ exc: make() as Error })
  if (way === 'throws') throw make()
  return undefined
})

app.task('cpu.again', { bind: true }, (self: TaskContext, countdown: number) => {
  throw self.retry({ countdown, exc: new RangeError('not yet'), args: [countdown + 1, new Date(0)] })
})

app.task('cpu.autoretry', { autoretryFor: [RangeError], retryKwargs: { countdown: 7 } }, () => {
  throw new RangeError('come back')
})

app.task('cpu.expected', { throws: [Overheated] }, () => {
  throw new Overheated('451 degrees')
})

app.task('cpu.ignore', () => {
  throw new Ignore()
})

app.task('cpu.reject', (requeue: boolean) => {
  throw new Reject('not mine', requeue)
})

app.task('cpu.exit', (code: number) => process.exit(code))

app.task('cpu.crash', () => {
  setImmediate(() => {
    throw new Error('out of the blue')
  })
  return new Promise(() => undefined)
})

app.task('cpu.tell', { bind: true }, async (self: TaskContext) => {
  self.log.debug('too fine')
  self.log.warning('half way', { step: 1 })
  try {
    await self.updateState({ state: 'PROGRESS', meta: { done: 1, at: new Date(5) } })
    return 'stored'
  } catch (thrown) {
    return (thrown as Error).message
  }
})

async function late(self: TaskContext): Promise<string> {
  try {
    await self.updateState({ state: 'LATE' })
    return 'stored'
  } catch (thrown) {
    return (thrown as Error).message
  }
}

/** Leaves code behind that reports a state as soon as the task has ended. */
app.task('cpu.keep', { bind: true }, (self: TaskContext) => {
  const idle = new Promise<string>((resolve) => setImmediate(() => void late(self).then(resolve)))
  kept = { self, idle }
})

/** Logs and reports a state in the name of the task before it in the same child. */
app.task('cpu.useKept', async () => {
  if (kept === null) return null
  kept.self.log.warning('too late')
  return [await kept.idle, await late(kept.self)]
})

app.task('cpu.wait', { bind: true }, async (self: TaskContext, ms: number, tidies: boolean) => {
  try {
    await sleep(ms, undefined, { signal: self.signal })
    return 'slept'
  } catch (thrown) {
    if (!tidies) throw thrown
    const { reason } = self.signal
    return reason instanceof SoftTimeLimitExceeded ? { tidied: reason.name, args: reason.args } : 'another reason'
  }
})

/** Ends when `self.signal` is aborted, whatever for, with the reason as it is. */
app.task('cpu.listen', { bind: true }, (self: TaskContext) => {
  self.log.info('listening')
  return new Promise((_, reject) => self.signal.addEventListener('abort', () => reject(self.signal.reason)))
})

app.task('cpu.deaf', { bind: true }, (self: TaskContext) => {
  self.log.info('deaf')
  spin(60_000)
})

app.task('cpu.grow', (mib: number) => {
  held.push(Buffer.alloc(mib * 1024 * 1024, 1))
  return process.pid
})

app.task('cpu.send', async () => (await app.sendTask('cpu.next', [1])).id)

app.task('cpu.leave', () => {
  void Promise.reject(new Error('left over'))
})

export default app
