import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, type SendOptions } from '../../lib/index.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { decode } from '../../lib/protocol/decode.js'
import type { TaskMessage } from '../../lib/protocol/message.js'
import type { Conf } from '../../lib/settings/conf.js'
import { KeptMessages } from '../support/keptMessages.js'

const LIMITS = {
  accept: ['json', 'yaml', 'msgpack'],
  maxSize: 1e6,
  maxNesting: 100,
  maxItems: 1e5,
  maxHeaders: 1e3,
}

describe('a message that is sent', () => {
  let kept: KeptMessages

  beforeEach(() => {
    kept = new KeptMessages()
  })

  afterEach(() => kept.stop())

  function appWith(conf: Conf = {}): Celery {
    const app = new Celery('sending', { broker_url: 'memory://', ...conf })
    kept.keep(app)
    return app
  }

  const last = (): OutgoingMessage => kept.messages.at(-1) as OutgoingMessage
  const read = ({ content, properties }: OutgoingMessage): TaskMessage => decode(properties, content, LIMITS)

  async function sent(options: SendOptions, conf: Conf = {}): Promise<OutgoingMessage> {
    await appWith(conf).sendTask('a.b', [1, 'two'], { three: [3] }, options)
    return last()
  }

  it.each([
    ['json', 'application/json', 'utf-8'],
    ['yaml', 'application/x-yaml', 'utf-8'],
    ['msgpack', 'application/x-msgpack', 'binary'],
  ])('is written in %s, by call, task, route and setting', async (serializer, contentType, contentEncoding) => {
    const app = appWith({ task_serializer: serializer, task_routes: { routed: { serializer: 'json' } } })
    await app.sendTask('a.b', [1, 'two'], { three: [3] })
    expect(last().properties).toMatchObject({ contentType, contentEncoding })
    expect(read(last())).toMatchObject({ args: [1, 'two'], kwargs: { three: [3] } })
    await app.sendTask('routed')
    expect(last().properties.contentType).toBe('application/json')
    await app.sendTask('routed', [], {}, { serializer })
    expect(last().properties.contentType).toBe(contentType)
    await app.task('routed', { serializer }, () => 1).delay()
    expect(last().properties.contentType).toBe(contentType)
  })

  it.each([
    ['9800142', '9800142'],
    [9800142, 9800142],
    [
      ['9800142', 'fedora-42'],
      ['9800142', 'fedora-42'],
    ],
  ])('has the order key %j beside other headers', async (orderKey, order_key) => {
    const { headers } = (await sent({ orderKey, headers: { tenant: 'a' } })).properties
    expect(headers).toMatchObject({ order_key, tenant: 'a' })
  })

  it.each([
    ['under its old name', { CELERY_IGNORE_RESULT: true }, ''],
    ['in another word', { task_ignore_result: 'yes' }, ''],
    ['in the environment', {}, '1'],
  ])('says that its result is ignored where task_ignore_result is given %s', async (_, conf, variable) => {
    process.env.CELERY_TASK_IGNORE_RESULT = variable
    const app = new Celery('sending', { broker_url: `memory://${randomUUID()}`, ...conf } as Conf)
    const said: unknown[] = []
    app.on('afterTaskPublish', ({ headers }) => said.push(headers.ignore_result))
    try {
      const task = app.task('a.b', () => 1)
      await task.delay()
      await task.s().delay()
      await app.task('c.d', { ignoreResult: false }, () => 1).delay()
    } finally {
      delete process.env.CELERY_TASK_IGNORE_RESULT
      await app.close()
    }
    expect(said).toEqual([true, true, false])
  })

  it('keeps its order key in a workflow, whatever other headers are set before', async () => {
    const app = appWith()
    const step = (name: string) => app.signature(name).set({ headers: { tenant: name } })
    await step('a').applyAsync([], {}, { orderKey: 'k' })
    expect(last().properties.headers).toMatchObject({ order_key: 'k', tenant: 'a' })
    await step('b')
      .set({ orderKey: ['k', 1] })
      .delay()
    expect(last().properties.headers).toMatchObject({ order_key: ['k', 1], tenant: 'b' })
  })

  it.each([[null], [[]], [{ id: 1 }], [Number.NaN], [[['a']]]])(
    'is not sent with the order key %j',
    async (orderKey) => {
      await expect(sent({ orderKey } as SendOptions)).rejects.toThrow('orderKey is')
      expect(kept.messages).toEqual([])
    },
  )

  it.each(['gzip', 'brotli'])('is compressed by %s, also by the setting', async (compression) => {
    const type = { gzip: 'application/x-gzip', brotli: 'application/x-brotli' }[compression]
    for (const message of [await sent({ compression }), await sent({}, { task_compression: compression })]) {
      expect(message.properties.headers).toMatchObject({ compression: type })
      expect(() => JSON.parse(String(message.content))).toThrow()
      expect(read(message)).toMatchObject({ args: [1, 'two'], kwargs: { three: [3] } })
    }
    expect((await sent({})).properties.headers).not.toHaveProperty('compression')
  })

  it('is written and compressed as before where a hook changes it', async () => {
    const app = appWith({ task_serializer: 'yaml', task_compression: 'gzip' })
    app.on('beforeTaskPublish', ({ body }) => {
      body[1].added = true
    })
    await app.sendTask('a.b', [1])
    expect(last().properties).toMatchObject({ contentType: 'application/x-yaml' })
    expect(read(last())).toMatchObject({ args: [1], kwargs: { added: true } })
  })

  it('says what else the call says', async () => {
    const message = await sent({
      shadow: 'nick',
      timeLimit: 30,
      softTimeLimit: 20,
      replyTo: 'q',
      rootId: 'r',
      parentId: 'p',
      stamps: { build: [7], mood: 'good' },
    })
    expect(message.properties.replyTo).toBe('q')
    expect(message.properties.headers).toMatchObject({
      shadow: 'nick',
      timelimit: [30, 20],
      root_id: 'r',
      parent_id: 'p',
      stamped_headers: ['build', 'mood'],
      stamps: { build: [7], mood: 'good' },
    })
  })

  it("has the task's own time limits, unless the call gives others", async () => {
    const app = appWith()
    const task = app.task('limited', { timeLimit: 30, softTimeLimit: 20 }, () => 1)
    const limits = async (options: SendOptions): Promise<unknown> => {
      await task.applyAsync([], {}, options)
      return last().properties.headers?.timelimit
    }
    expect(await limits({})).toEqual([30, 20])
    expect(await limits({ timeLimit: 40 })).toEqual([40, 20])
    expect(await limits({ softTimeLimit: 10 })).toEqual([30, 10])
    expect(await limits({ timeLimit: 3, softTimeLimit: 2 })).toEqual([3, 2])
    await app.task('unlimited', { timeLimit: null, softTimeLimit: null }, () => 1).delay()
    expect(last().properties.headers?.timelimit).toEqual([null, null])
    await app.sendTask('limited')
    expect(last().properties.headers?.timelimit).toEqual([null, null])
  })

  it.each<[SendOptions, string]>([
    [{ timeLimit: 10 }, "limited: timeLimit is 10: expected no less than the task's own softTimeLimit, which is 20"],
    [
      { softTimeLimit: 31 },
      "limited: softTimeLimit is 31: expected no more than the task's own timeLimit, which is 30",
    ],
  ])("is refused with a limit that doesn't fit the task's own other one: %j", async (options, text) => {
    const task = appWith().task('limited', { timeLimit: 30, softTimeLimit: 20 }, () => 1)
    await expect(task.applyAsync([], {}, options)).rejects.toThrow(text)
    expect(kept.messages).toEqual([])
  })

  it('says nothing of what the call says nothing of', async () => {
    const { headers } = (await sent({ taskId: 'i' })).properties
    expect(headers).toMatchObject({ shadow: null, timelimit: [null, null], root_id: 'i', parent_id: null })
    expect(headers).toMatchObject({ stamped_headers: null, stamps: {} })
  })

  describe('goes', () => {
    const place = ({ exchange, properties, routingKey }: OutgoingMessage): unknown => [
      exchange,
      routingKey,
      properties.priority,
    ]

    it('where the task says, unless the call says something else', async () => {
      const app = appWith({ task_routes: { '*': { queue: 'routed', priority: 1 } }, task_default_priority: 9 })
      const task = app.task('t', { queue: 'own', priority: 3, expires: 60 }, () => 1)
      await task.delay()
      expect(place(last())).toEqual(['', 'own', 3])
      expect(Number(last().properties.expiration)).toBeGreaterThan(50_000)
      await task.applyAsync([], {}, { queue: 'other', priority: 0 })
      expect(place(last())).toEqual(['', 'other', 0])
      await task.applyAsync([], {}, { exchange: 'e', routingKey: 'k' })
      expect(place(last())).toEqual(['e', 'k', 3])
      const away = app.task('away', { exchange: 'e', routingKey: 'k' }, () => 1)
      await away.delay()
      expect(place(last())).toEqual(['e', 'k', 1])
      await away.applyAsync([], {}, { queue: 'q' })
      expect(place(last())).toEqual(['', 'q', 1])
      await app.sendTask('t')
      expect(place(last())).toEqual(['', 'routed', 1])
    })

    it('by the first router that knows its task, and its own name before patterns', async () => {
      const asked: unknown[] = []
      const app = appWith({
        task_routes: [
          { 'feeds.*': 'patterns', 'feeds.own': 'own' },
          [/^web\.\d+$/g, { queue: 'web', priority: 5 }],
          (task, args, kwargs, options) => {
            asked.push([task, args, kwargs, options])
            return kwargs.big === true ? { queue: 'big' } : task === 'small' ? 'small' : null
          },
          ['last.*', 'last'],
        ],
      })
      const queueOf = async (...call: Parameters<Celery['sendTask']>): Promise<string> => {
        await app.sendTask(...call)
        return last().routingKey
      }
      expect(await queueOf('feeds.own')).toBe('own')
      expect(await queueOf('feeds.other')).toBe('patterns')
      expect(await queueOf('web.17')).toBe('web')
      expect(await queueOf('web.18')).toBe('web')
      expect(await queueOf('any', [1], { big: true }, { countdown: 0 })).toBe('big')
      expect(await queueOf('small')).toBe('small')
      expect(await queueOf('last.one')).toBe('last')
      expect(await queueOf('nobody')).toBe('celery')
      expect(asked[0]).toEqual(['any', [1], { big: true }, { countdown: 0 }])
    })

    it('nowhere when a function gives what is no route', async () => {
      const app = appWith({ task_routes: (() => 5) as never })
      await expect(app.sendTask('t')).rejects.toThrow(
        'task_routes: a function gave 5 for t: expected a route, the name of a queue, or null',
      )
    })
  })
})
