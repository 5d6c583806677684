import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Celery, Retry, RetryOptions } from 'celeriac'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import { generate } from './generator.js'
import { type Hop, type PackitMessage, TASK } from './message.js'
import { TraceReader } from './traceLog.js'
import { PRESETS } from './workload.js'

const [start, , , end] = generate({ ...PRESETS.seed375, runScale: 0.001, failStartFraction: 1 })
if (!start || !end) throw new Error('the workload of issue 375 has six messages')

/** Hop 2 as hop 1 makes it, in Celery's form: [args, kwargs, embed]. */
type Body = [unknown[], Record<string, unknown>, unknown]

describe('the app', () => {
  let directory: string
  let reader: TraceReader
  let app: Celery
  /** What the app published, with the number of trace records that were there before. */
  let published: Array<{ task: unknown; queue: string; body: Body; after: number }>

  async function load(order: 'on' | 'off'): Promise<Celery> {
    Object.assign(process.env, { PACKIT_ORDER: order, PACKIT_QUEUE: 'spec', PACKIT_TRACE: join(directory, 'trace') })
    jest.resetModules()
    const loaded: Celery = (await import('./app.js')).default
    loaded.lend({
      route: (_task, { queue = '' }) => ({ exchange: '', routingKey: queue, priority: 0, queue }),
      prepare: async () => undefined,
      close: async () => undefined,
      backend: createDisabledBackend(),
      send: async ({ content, properties, routingKey }) => {
        const body: Body = JSON.parse(content.toString())
        published.push({ task: properties.headers?.task, queue: routingKey, body, after: reader.poll().length })
      },
    })
    return loaded
  }

  /** Calls a message's handler as the worker does, with its keyword arguments in their places. */
  async function run(
    message: Pick<PackitMessage, 'task' | 'args' | 'kwargs'>,
    retries = 0,
    signal = new AbortController().signal,
  ) {
    const task = app.tasks.get(message.task)
    if (!task) throw new Error(`there is no task ${message.task}`)
    const handler = task.handler as (...args: unknown[]) => Promise<void>
    const named = (task.options.params ?? []).slice(message.args.length).map((name) => message.kwargs[name])
    const request = { id: 'celery-id', headers: {}, retries, ...message }
    const { Retry } = await import('celeriac')
    const retry = (options: RetryOptions): Retry => new Retry(options)
    await handler({ request, signal, retry }, ...message.args, ...named)
  }

  const outcomes = (): string[] => {
    reader.poll()
    return reader.records.map(({ type, hop, retries, outcome }) => `${type} hop ${hop} run ${retries} ${outcome}`)
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-spec-'))
    reader = new TraceReader(join(directory, 'trace'))
    published = []
    app = await load('on')
  })
  afterEach(() => {
    reader.close()
    rmSync(directory, { recursive: true })
    for (const name of ['PACKIT_ORDER', 'PACKIT_QUEUE', 'PACKIT_TRACE']) delete process.env[name]
  })

  it('has the four tasks, acknowledged late, with a key', () => {
    expect([...app.tasks].map(({ name }) => name).sort()).toEqual(Object.values(TASK).sort())
    for (const { options } of app.tasks)
      expect(options).toMatchObject({ acksLate: true, orderBy: expect.any(Function) })
  })

  it('has no keys where they are turned off', async () => {
    app = await load('off')
    for (const { options } of app.tasks) expect(options.orderBy).toBeUndefined()
  })

  it('publishes hop 2, with the hints of hop 1, on its own queue and before hop 1 ends', async () => {
    await run(end)
    expect(published).toEqual([
      { task: TASK.end, queue: 'spec', body: [[], expect.any(Object), expect.any(Object)], after: 1 },
    ])
    expect(outcomes()).toEqual(['begin hop 1 run 0 null', 'end hop 1 run 0 success'])
    const kwargs = published[0]?.body[1]
    expect(kwargs?.event).toMatchObject({
      build_id: (end.kwargs.event as { build: number }).build,
      _sim: { id: end.sim.id, run_ms: end.sim.run_ms, fail: 0 },
    })
  })

  it('runs hop 2 from what hop 1 has published', async () => {
    await run(end)
    await run({ task: TASK.end, args: [], kwargs: published[0]?.body[1] ?? {} })
    expect(outcomes().slice(2)).toEqual(['begin hop 2 run 0 null', 'end hop 2 run 0 success'])
    expect(published).toHaveLength(1)
    const facts = reader.records.map(({ id, key, kind }) => ({ id, key, kind }))
    expect(facts).toEqual(Array(4).fill({ id: end.sim.id, key: end.key, kind: 'end' }))
  })

  it('fails a start as often as asked, asking for a retry in 50 ms, and publishes only then', async () => {
    await expect(run(start, 0)).rejects.toMatchObject({ options: { countdown: 0.05 } })
    expect(published).toEqual([])
    await run(start, 1)
    expect(published.map(({ task }) => task)).toEqual([TASK.start])
    expect(outcomes()).toEqual([
      'begin hop 1 run 0 null',
      'end hop 1 run 0 retry',
      'begin hop 1 run 1 null',
      'end hop 1 run 1 success',
    ])
  })

  it('stops at once when it is told to, and publishes nothing', async () => {
    const stop = new AbortController()
    const event = { ...(end.kwargs.event as object), _sim: { ...end.sim, run_ms: 60_000 } }
    const running = run({ ...end, kwargs: { ...end.kwargs, event } }, 0, stop.signal)
    stop.abort()
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
    expect(outcomes()).toEqual(['begin hop 1 run 0 null', 'end hop 1 run 0 aborted'])
    expect(published).toEqual([])
  })

  it('leads nowhere from events that are no build events, and from the watchdog', async () => {
    const life = generate({ ...PRESETS.life, runScale: 0.0001, kojiFraction: 1, tfFraction: 1, builds: 2 })
    const others = ['koji:', 'tf:', 'pr:'].map((prefix) => life.find(({ key }) => key.startsWith(prefix)))
    const watchdog = life.find(({ task }) => task === TASK.babysit)
    const ran: Array<{ hop: Hop; id: string }> = []
    for (const message of [...others, watchdog]) {
      if (!message) throw new Error('the workload lacks a kind of message')
      await run(message)
      ran.push({ hop: message.sim.hop, id: message.sim.id })
    }
    expect(published).toEqual([])
    outcomes()
    expect(reader.records.filter(({ outcome }) => outcome === 'success').map(({ hop, id }) => ({ hop, id }))).toEqual(
      ran,
    )
  })
})
