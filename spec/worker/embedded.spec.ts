import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  Celery,
  type Conf,
  ConfigurationError,
  type TaskContext,
  Worker,
  type WorkerEvents,
  type WorkerOptions,
} from '../../lib/index.js'
import { deferred } from '../../lib/listeners.js'
import { expectNothingLeft } from '../support/embeddedRounds.js'
import { freePort } from '../support/freePort.js'
import { MemoryLog } from '../support/memoryLog.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT } from '../support/workerProgram.js'

const EVENTS = ['ready', 'lost', 'recovered', 'stopping', 'stopped'] as const

/** What becomes of a worker, as its program is told. */
function heard(worker: Worker): Array<keyof WorkerEvents> {
  const names: Array<keyof WorkerEvents> = []
  for (const name of EVENTS) worker.on(name, () => void names.push(name))
  return names
}

describe('a worker in a program', () => {
  let app: Celery
  let log: MemoryLog
  const workers: Worker[] = []

  const make = (options: WorkerOptions = {}, of: Celery = app): Worker => {
    const worker = new Worker(of, { logger: log, ...options })
    workers.push(worker)
    return worker
  }
  const started = async (options: WorkerOptions = {}, of: Celery = app): Promise<Worker> => {
    const worker = make(options, of)
    await worker.start()
    await worker.ready
    return worker
  }
  const appWith = (conf: Conf = {}): Celery =>
    new Celery('spec', { broker_url: `memory://${randomUUID()}`, result_backend: 'cache+memory://', ...conf })

  beforeEach(() => {
    log = new MemoryLog()
    app = appWith()
  })

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
    await app.close()
    await killAllPrograms()
  })

  it('runs tasks from its start to its stop, and tells what becomes of it', async () => {
    const add = app.task('add', (x: number, y: number) => x + y)
    const worker = make()
    const names = heard(worker)
    expect([worker.hostname, worker.readiness]).toEqual([null, ['it has not started']])
    await worker.start()
    await worker.ready
    expect(worker.readiness).toEqual([])
    expect(await (await add.delay(1, 2)).get({ timeout: 60 })).toBe(3)
    await worker.stop()
    expect(await worker.ended).toEqual({ error: null })
    expect(worker.readiness).toEqual(['it has stopped'])
    expect(names).toEqual(['ready', 'stopping', 'stopped'])
  })

  it('ends with the block that it is made in', async () => {
    let kept: Worker
    {
      await using worker = make()
      kept = worker
      await worker.start()
      await worker.ready
    }
    expect(kept.readiness).toEqual(['it has stopped'])
  })

  it('can be waited for by its events', async () => {
    const worker = make()
    const ready = once(worker, 'ready')
    await worker.start()
    expect(await ready).toEqual([])
  })

  it('waits for the tasks that run when it is stopped, and tells them to end when it is terminated', async () => {
    const begun = deferred<void>()
    const go = deferred<void>()
    let told = false
    const wait = app.task('wait', { bind: true, acksLate: true }, async (self: TaskContext) => {
      begun.resolve()
      self.signal.addEventListener('abort', () => {
        told = true
        go.resolve()
      })
      await go.promise
    })
    const worker = await started()
    await wait.delay()
    await begun.promise
    let hasStopped = false
    const stopping = worker.stop().then(() => {
      hasStopped = true
    })
    await waitFor(() => worker.readiness.includes('it is stopping'), { what: 'the stop to begin' })
    expect([hasStopped, told]).toEqual([false, false])
    await worker.terminate()
    await stopping
    expect(told).toBe(true)
  })

  it('needs no signal, and adds no listener to the process', async () => {
    const listeners = (): unknown[] => [
      ...process.eventNames().map((name) => [name, process.listenerCount(name)]),
      process.stderr.listenerCount('error'),
    ]
    const before = listeners()
    const worker = make({ logger: undefined, logLevel: 'CRITICAL' })
    await worker.start()
    await worker.ready
    expect(listeners().slice(0, -1)).toEqual(before.slice(0, -1))
    await worker.stop()
    expect(listeners()).toEqual(before)
  })

  describe('beside another one', () => {
    it('of the same app: each has a name of its own, and a task sends by the worker that runs it', async () => {
      const begun = deferred<void>()
      const go = deferred<void>()
      const add = app.task('add', (x: number, y: number) => x + y)
      const slow = app.task('slow', async () => {
        begun.resolve()
        await go.promise
        return (await add.delay(3, 4)).id
      })
      const first = await started({ queues: ['first'] })
      const result = await slow.applyAsync([], {}, { queue: 'first' })
      await begun.promise
      const second = await started({ queues: ['celery'] })
      expect(new Set([first.hostname, second.hostname]).size).toBe(2)
      expect(first.hostname).toMatch(new RegExp(`^spec-${process.pid}(-\\d+)?@`))
      const third = await started({ queues: ['third'] })
      // What the last one has lent goes with it.
      await third.stop()
      go.resolve()
      const child = app.asyncResult(await result.get({ timeout: 60 }))
      expect(await child.get({ timeout: 60 })).toBe(7)
      await Promise.all([first.stop(), second.stop()])
      const again = await started()
      expect(await (await add.delay(1, 2)).get({ timeout: 60 })).toBe(3)
      expect(again.hostname).toBe(first.hostname)
    })

    it('of the same app: each calls its hooks by its own terms, and writes of them into its own log', async () => {
      const other = new MemoryLog()
      app.task('one', () => 1)
      app.on('taskPrerun', () => {
        throw new Error('oh')
      })
      await started({ queues: ['first'] })
      await started({ queues: ['second'], logger: other })
      const hookErrors = (of: MemoryLog): number => of.of('ERROR').filter((line) => line.includes('taskPrerun')).length
      for (const [queue, told] of [
        ['first', [1, 0]],
        ['second', [1, 1]],
      ] as const) {
        const result = await app.sendTask('one', [], {}, { queue })
        await result.get({ timeout: 60 })
        expect([hookErrors(log), hookErrors(other)]).toEqual(told)
      }
    })

    it('of another app', async () => {
      const other = appWith()
      const one = app.task('one', () => 1)
      const two = other.task('two', async () => (await one.delay()).id)
      await started()
      await started({}, other)
      const id = await (await two.delay()).get({ timeout: 60 })
      expect(await app.asyncResult(id).get({ timeout: 60 })).toBe(1)
      await other.close()
    })
  })

  it('keeps its connection when the app closes its own', async () => {
    const leaf = app.task('leaf', () => 'leaf')
    const root = app.task('root', async () => (await leaf.delay()).id)
    await started()
    const first = await root.delay()
    await first.get({ timeout: 60 })
    await app.close()
    const id = await (await root.delay()).get({ timeout: 60 })
    expect(await app.asyncResult(id).get({ timeout: 60 })).toBe('leaf')
  })

  describe('that is stopped', () => {
    it('before it was started never starts', async () => {
      const worker = make()
      await worker.stop()
      expect(await worker.ended).toEqual({ error: null })
      await expect(worker.ready).rejects.toThrow('stopped before it was ready')
      await expect(worker.start()).rejects.toThrow('create a new one')
    })

    it('while it starts ends, and holds nothing', async () => {
      const worker = make()
      const starting = worker.start()
      await worker.stop()
      await starting
      expect(worker.readiness).toEqual(['it has stopped'])
      expect(log.of('INFO')).toEqual([])
    })

    it('is told once, however often it is asked', async () => {
      const worker = await started()
      const names = heard(worker)
      await Promise.all([worker.stop(), worker.stop(), worker.terminate(), worker[Symbol.asyncDispose]()])
      await worker.terminate()
      expect(names).toEqual(['stopping', 'stopped'])
    })
  })

  it('starts once, however often it is asked', async () => {
    const worker = make()
    await Promise.all([worker.start(), worker.start()])
    await worker.ready
    expect(log.of('INFO').filter((line) => line.endsWith('ready.'))).toHaveLength(1)
  })

  it('goes on when a listener throws, and tells the others', async () => {
    const worker = make()
    worker.on('ready', () => {
      throw new Error('oops')
    })
    const names = heard(worker)
    await worker.start()
    await worker.ready
    expect(names).toEqual(['ready'])
    expect(log.of('ERROR')).toEqual(["A listener of 'ready' has thrown: oops"])
  })

  it('ends with its reason when it may not wait for the broker', async () => {
    const worker = make({ brokerUrl: `amqp://127.0.0.1:${await freePort()}`, brokerConnectionRetryOnStartup: false })
    const names = heard(worker)
    await worker.start()
    const { error } = await worker.ended
    expect(error?.message).toContain('ECONNREFUSED')
    await expect(worker.ready).rejects.toBe(error)
    expect(names).toEqual(['stopping', 'stopped'])
  })

  it("has not started when a module of `imports` can't be loaded", async () => {
    const worker = make({ imports: ['./not/there.js'] })
    await expect(worker.start()).rejects.toThrow(ConfigurationError)
    expect((await worker.ended).error).toBeInstanceOf(ConfigurationError)
  })

  it('leaves nothing behind, started and stopped 100 times beside two others and an HTTP server', async () => {
    // A round whose workers stay takes 270,000 bytes; the compiler takes 2,000.
    await expectNothingLeft('memory://', ['shop', 'post'], 100, 10_000)
  })

  it.each([
    ['threads', { isOwnProcess: true, isOwnThread: false }],
    ['prefork', { isOwnProcess: false, isOwnThread: false }],
  ])('runs tasks in children that load its appModule: %s', async (pool, where) => {
    const program = runProgram(process.execPath, ['build/apps/embeddedPool.js', pool], {
      cwd: ROOT,
      env: { ...process.env, CELERY_BROKER_URL: 'memory://', CELERY_RESULT_BACKEND: 'cache+memory://' },
    })
    const { code } = await program.exited
    expect({ code, stderr: program.stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(program.stdout)).toEqual(where)
  })

  describe('writes its lines', () => {
    const lines: string[] = []
    const logger = {
      debug: (text: string) => void lines.push(`debug ${text}`),
      info: (text: string) => void lines.push(`info ${text}`),
      warn: (text: string) => void lines.push(`warn ${text}`),
      error: (text: string) => void lines.push(`error ${text}`),
    }

    beforeEach(() => void lines.splice(0))

    it('to a logger as programs have them, from INFO on', async () => {
      const worker = await started({ logger, withoutGossip: true, taskDefaultDeliveryMode: 1, logFormat: 'json' })
      expect(lines).toContain(`info ${worker.hostname} ready.`)
      expect(lines).toContain('warn taskDefaultDeliveryMode has no effect: messages are always persistent')
      expect(lines.filter((line) => line.startsWith('debug'))).toEqual([])
    })

    it('from the level on that is asked for', async () => {
      await started({ logger, logLevel: 'error' })
      expect(lines).toEqual([])
    })

    it('and loses nothing else with a line that the logger throws at', async () => {
      const fails = (): never => {
        throw new Error('full')
      }
      const worker = await started({ logger: { debug: fails, info: fails, warn: fails, error: fails } })
      expect(worker.readiness).toEqual([])
    })
  })

  it('listens to nobody unless it is told where', async () => {
    expect((await started()).httpAddress).toBeNull()
    const worker = await started({ http: '127.0.0.1:0' })
    const { host, port } = worker.httpAddress ?? { host: '', port: 0 }
    expect((await fetch(`http://${host}:${port}/readyz`)).status).toBe(200)
    expect((await started({}, appWith({ worker_http: '127.0.0.1:0' }))).httpAddress?.host).toBe('127.0.0.1')
  })

  describe('is told everything that is wrong with its options at once:', () => {
    const faultsOf = (options: unknown, of: unknown = app): readonly string[] => {
      try {
        new Worker(of as Celery, options as WorkerOptions)
        return []
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ConfigurationError)
        return (thrown as ConfigurationError).faults
      }
    }

    it.each([
      [{ concurency: 3 }, 'concurency is not an option; did you mean concurrency?'],
      [{ exclude_queues: ['a'] }, 'exclude_queues is not an option; write excludeQueues'],
      [{ worker_concurrency: 3 }, 'worker_concurrency is not an option; write concurrency'],
      [{ workerConcurrency: 3 }, 'workerConcurrency is not an option; write concurrency'],
      [{ prefetch_multiplier: 3 }, 'prefetch_multiplier is not an option; write prefetchMultiplier'],
      [{ loglevel: 'INFO' }, 'loglevel is not an option; write logLevel'],
      [{ broker: 'amqp://' }, 'broker is not an option; write brokerUrl'],
      [{ pidfile: 'a.pid' }, 'pidfile is not an option: it is one of the command line only'],
      [{ colour: true }, 'colour is not an option: it stands for no setting'],
      [{ concurrency: 'many' }, 'concurrency "many": expected a whole number of at least 1'],
      [{ queues: [] }, 'queues and excludeQueues leave no queue to consume from'],
      [
        { taskSoftTimeLimit: 5, taskTimeLimit: 2 },
        'taskSoftTimeLimit 5: expected no more than taskTimeLimit, which is 2; the hard limit would come first',
      ],
      [
        { pool: 'threads' },
        'pool "threads": needs appModule, the module that its children load, such as appModule: import.meta.url',
      ],
      [
        { logger: 'console' },
        'logger: expected an object with the functions debug, info, warn and error, such as console',
      ],
      [{ appModule: 5 }, 'appModule is 5: expected the path of a module or its file: URL, such as import.meta.url'],
      [5, 'the options are 5: expected an object'],
    ])('%j', (options, fault) => {
      expect(faultsOf(options)).toEqual([`new Worker: ${fault}`])
    })

    it('all of them', () => {
      const faults = faultsOf({ concurency: 3, queues: [], pool: 'fibers' }, 'app')
      expect(faults).toHaveLength(4)
      expect(faults[0]).toContain("the first argument is 'app': expected an app, such as new Celery('name')")
    })

    it('nothing, for what is undefined', () => {
      expect(faultsOf({ queues: undefined, http: undefined, appModule: undefined })).toEqual([])
    })
  })
})
