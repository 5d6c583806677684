import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { App } from '../../lib/app/app.js'
import type { HookName } from '../../lib/app/hooks/hookArguments.js'
import { Hooks } from '../../lib/app/hooks/hooks.js'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { HookEvents } from '../../lib/trace/hookEvents.js'
import { FakeClock } from '../support/fakeClock.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

/** The hooks that were told, in order, with what tells two calls apart. */
function record(app: App): string[] {
  const told: string[] = []
  app.on('taskReceived', ({ task }) => void told.push(`received ${task.name}`))
  app.on('taskPrerun', ({ args }) => void told.push(`prerun ${JSON.stringify(args)}`))
  app.on('taskPostrun', ({ retval, state }) => void told.push(`postrun ${state} ${String(retval)}`))
  app.on('taskSuccess', ({ result }) => void told.push(`success ${String(result)}`))
  app.on('taskFailure', ({ exception }) => void told.push(`failure ${exception.message}`))
  app.on(
    'taskRetry',
    ({ exception, reason }) => void told.push(`retry ${exception?.message} ${reason.options.countdown}`),
  )
  app.on(
    'taskRevoked',
    ({ expired, signum, terminated }) => void told.push(`revoked ${expired} ${terminated} ${signum}`),
  )
  app.on('taskRejected', ({ exc, message }) => void told.push(`rejected ${message.queue} ${exc?.message}`))
  app.on('taskUnknown', ({ exc, id, name }) => void told.push(`unknown ${name} ${id} ${exc.message}`))
  return told
}

function offline(app: App): OfflineLine {
  return new OfflineLine(app, { events: new HookEvents(app.hooks, 'w@spec', NO_TASK_EVENTS) })
}

describe('app.on', () => {
  it.each([
    ['task_prerun', 'did you mean taskPrerun?'],
    ['taskPrerunn', 'did you mean taskPrerun?'],
    ['worker_process_shutdown', 'give a resource a stop: app.resource(name, { start, stop })'],
    ['celeryd_init', 'use workerInit'],
    ['whenever', 'expected one of beforeTaskPublish, afterTaskPublish'],
    [5, 'expected the name of a hook, one of beforeTaskPublish'],
  ])('refuses %p, and says what to write', (name, remedy) => {
    expect(() => new OfflineApp('spec').on(name as HookName, () => undefined)).toThrow(remedy)
  })

  it('refuses a hook that is no function', () => {
    expect(() => new OfflineApp('spec').on('taskPrerun', 'later' as never)).toThrow(
      "app.on('taskPrerun', 'later'): the hook must be a function",
    )
  })

  it('returns what takes the hook away again, and then costs nothing', async () => {
    const hooks = Hooks.none()
    const told: string[] = []
    const end = hooks.add('workerInit', () => void told.push('first'))
    hooks.add('workerInit', () => void told.push('second'))()
    expect(hooks.any).toBe(true)
    await hooks.tell('workerInit', () => ({ hostname: 'w' }))
    end()
    await hooks.tell('workerInit', () => ({ hostname: 'w' }))
    expect({ any: hooks.any, told }).toEqual({ any: false, told: ['first'] })
  })
})

describe('hooks', () => {
  it('are told of tasks in the order of Celery', async () => {
    const app = new OfflineApp('spec')
    const told = record(app)
    app.task('ok', (n: number) => n + 1)
    app.task('bad', () => {
      throw new RangeError('no')
    })
    app.task('again', { bind: true }, (self) => {
      throw self.retry({ countdown: 5, exc: new Error('busy') })
    })
    const line = offline(app)
    const of = async (task: string, options = {}): Promise<string[]> => {
      told.length = 0
      line.deliver(task, options)
      while (line.line.state.running.size > 0) await line.turn()
      return [...told]
    }
    expect(await of('ok', { args: [1] })).toEqual(['received ok', 'prerun [1]', 'success 2', 'postrun SUCCESS 2'])
    expect(await of('bad')).toEqual(['received bad', 'prerun []', 'failure no', 'postrun FAILURE RangeError: no'])
    expect(await of('again')).toEqual(['received again', 'prerun []', 'retry busy 5', 'postrun RETRY Retry: busy'])
  })

  it('are told of what does not run: expired, revoked, unknown and bad messages', async () => {
    const app = new OfflineApp('spec')
    const told = record(app)
    app.task('ok', () => 1)
    const line = offline(app)
    line.line.revoke(['gone'])
    line.deliver('ok', { id: 'gone' })
    line.deliver('ok', { headers: { expires: new Date(line.clock.now() - 1).toISOString() } })
    line.deliver('nobody', { id: 'x' })
    line.deliverRaw(new FakeDelivery({ headers: {} }, Buffer.from('?'), 'spec'))
    for (let turns = 0; turns < 5; turns++) await line.turn()
    expect(told).toEqual([
      'rejected spec undefined',
      'revoked false false null',
      'revoked true false null',
      "unknown nobody x 'nobody' is not registered",
    ])
  })

  it('that throw are logged, and the task runs', async () => {
    const app = new OfflineApp('spec')
    const log = new MemoryLog()
    app.hooks.configure({ timeoutMs: 1000, log })
    const told: string[] = []
    app.on('taskPrerun', function boom() {
      throw new Error('oh')
    })
    app.on('taskPrerun', async () => {
      throw 'text'
    })
    app.on('taskPostrun', ({ state }) => void told.push(state))
    app.task('ok', () => 1)
    const line = offline(app)
    line.deliver('ok')
    while (line.line.state.running.size > 0) await line.turn()
    expect(told).toEqual(['SUCCESS'])
    expect(log.of('ERROR')).toEqual([
      "Hook boom of taskPrerun raised: Exception('oh')",
      "Hook anonymous of taskPrerun raised: Exception('text')",
    ])
  })

  it('that hang are waited for until their bound, outside of the time limits of the task', async () => {
    const app = new OfflineApp('spec')
    const log = new MemoryLog()
    const line = offline(app)
    app.hooks.configure({ timeoutMs: 60_000, log, clock: line.clock })
    const told: string[] = []
    app.on('taskPrerun', function stuck() {
      return new Promise(() => undefined)
    })
    app.on('taskPostrun', ({ state }) => void told.push(state))
    app.task('ok', { timeLimit: 1 }, () => 1)
    line.deliver('ok')
    await line.turn()
    await line.clock.advance(59_000)
    expect(told).toEqual([])
    await line.clock.advance(1000)
    while (line.line.state.running.size > 0) await line.turn()
    expect(told).toEqual(['SUCCESS'])
    expect(log.of('ERROR')).toEqual([
      'Hook stuck of taskPrerun was not done within 60 s (worker_hook_timeout); continuing without it',
    ])
  })

  it('hear of one failure once, where a hard time limit ends the task', async () => {
    const app = new OfflineApp('spec')
    const told = record(app)
    app.task('slow', { timeLimit: 1 }, () => new Promise(() => undefined))
    const line = offline(app)
    line.deliver('slow')
    await line.turn()
    await line.clock.advance(1000)
    while (line.line.state.running.size > 0) await line.turn()
    expect(told).toEqual([
      'received slow',
      'prerun []',
      'failure TimeLimitExceeded(1,)',
      'postrun FAILURE TimeLimitExceeded: TimeLimitExceeded(1,)',
    ])
  })

  it('that nobody waits for are waited for at the end, up to their bound', async () => {
    const hooks = Hooks.none()
    const clock = new FakeClock()
    hooks.configure({ timeoutMs: 1000, log: new MemoryLog(), clock })
    hooks.add('workerReady', () => new Promise(() => undefined))
    hooks.note('workerReady', () => ({ hostname: 'w' }))
    let settled = false
    const wait = hooks.settled().then(() => {
      settled = true
    })
    await new Promise(setImmediate)
    expect(settled).toBe(false)
    await clock.advance(1000)
    await wait
    expect(settled).toBe(true)
  })
})

describe('the hooks of publishing', () => {
  it('change what is sent, as in Celery, and are told once it is', async () => {
    const memory = await MemoryWorker.start((app) => {
      app.on('beforeTaskPublish', async ({ body, headers, name, properties, routingKey }) => {
        await new Promise(setImmediate)
        headers.tenant = `${name} to ${routingKey}`
        properties.appId = 'spec'
        body[0].push('added')
        body[1].b = 'too'
      })
      app.task('see', { bind: true, params: ['a', 'given', 'b'] }, (self, a: number, given: string, b: string) => [
        a,
        given,
        b,
        self.request.headers.tenant,
        self.request.properties.appId,
      ])
    })
    const told: unknown[] = []
    memory.app.on('afterTaskPublish', ({ body, exchange, headers, id, name, routingKey }) => {
      told.push({
        args: body[0],
        kwargs: body[1],
        exchange,
        tenant: headers.tenant,
        isSame: headers.id === id,
        name,
        routingKey,
      })
    })
    try {
      expect(await memory.outcome('see', [1])).toEqual(['SUCCESS', [1, 'added', 'too', 'see to celery', 'spec']])
      expect(told).toEqual([
        {
          args: [1, 'added'],
          kwargs: { b: 'too' },
          exchange: '',
          tenant: 'see to celery',
          isSame: true,
          name: 'see',
          routingKey: 'celery',
        },
      ])
    } finally {
      await memory.stop()
    }
  })

  it('leave the arguments of the caller as they are, and fail the call for what cannot be sent', async () => {
    const memory = await MemoryWorker.start((app) => {
      app.on('beforeTaskPublish', ({ body, name }) => void body[0].push(name === 'bad' ? Number.NaN : 2))
    })
    const args = [1]
    try {
      await memory.app.sendTask('any', args, {}, { queue: 'unread' })
      expect(args).toEqual([1])
      await expect(memory.app.sendTask('bad', args, {}, { queue: 'unread' })).rejects.toThrow(TypeError)
    } finally {
      await memory.stop()
    }
  })

  it('are told of retries, which keep their serializer and compression', async () => {
    const app = new OfflineApp('spec')
    const told: unknown[] = []
    app.on('beforeTaskPublish', ({ body, headers }) => {
      told.push(['before', headers.retries, body[0]])
      headers.tenant = 'a'
      body[1].tries = headers.retries
    })
    app.on('afterTaskPublish', ({ body }) => void told.push(['after', body[1]]))
    app.task('again', { bind: true, params: ['n', 'tries?'] }, (self, _n: number, _tries?: number) => {
      throw self.retry({ countdown: 5 })
    })
    const line = offline(app)
    const { content, properties } = taskMessage('again', { args: [1] })
    const headers = { ...properties.headers, compression: 'application/x-gzip' }
    line.deliverRaw(new FakeDelivery({ ...properties, headers }, deflateSync(content), 'spec'))
    while (line.line.state.running.size > 0) await line.turn()
    expect(told).toEqual([
      ['before', 1, [1]],
      ['after', { tries: 1 }],
    ])
    const [sent] = line.published
    expect(sent?.properties.headers).toMatchObject({ tenant: 'a', retries: 1, compression: 'application/x-gzip' })
    expect(JSON.parse(inflateSync(sent?.content ?? Buffer.alloc(0)).toString())).toMatchObject([[1], { tries: 1 }, {}])
  })
})
