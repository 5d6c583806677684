import { beforeEach, describe, expect, it } from '@jest/globals'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { OfflinePanel } from './offlinePanel.js'

describe('the commands about settings, queues and figures', () => {
  let app: OfflineApp
  let gated: Gated

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    app.task('keyed', { orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
  })

  describe('conf', () => {
    it('shows what was set, with no secret in it', () => {
      const node = new OfflinePanel(app, {
        config: {
          broker_url: 'amqp://me:s3cret@host//;amqp://me:s3cret@other//',
          result_backend: 'redis://:s3cret@host/0',
          broker_use_ssl: { keyfile: 'private.pem', ca_certs: 'ca.pem' },
          result_backend_transport_options: { sentinel_kwargs: { password: 's3cret' }, master_name: 'one' },
          task_default_routing_key: 'route',
          task_queues: [{ name: 'q', routing_key: 'k' }],
          imports: ['amqp://me:s3cret@elsewhere//'],
        },
      })
      const conf = node.answer('conf')
      expect(conf).toEqual({
        broker_url: 'amqp://me:********@host:5672//;amqp://me:********@other:5672//',
        result_backend: 'redis://:********@host/0',
        broker_use_ssl: { keyfile: '********', ca_certs: 'ca.pem' },
        result_backend_transport_options: { sentinel_kwargs: { password: '********' }, master_name: 'one' },
        task_default_routing_key: '********',
        task_queues: [{ name: 'q', routing_key: '********' }],
        imports: ['amqp://me:********@elsewhere//'],
        include: ['spec', 'amqp://me:s3cret@elsewhere//'.replace('s3cret', '********')],
        deprecated_settings: null,
      })
      expect(node.answer('dump_conf')).toEqual(conf)
    })

    it('shows every setting with the defaults, and no option of the command line', () => {
      const node = new OfflinePanel(app)
      const all = node.answer('conf', { with_defaults: true }) as Record<string, unknown>
      expect(all).toMatchObject({
        broker_url: 'amqp://guest:********@127.0.0.1:5672//',
        result_backend: null,
        worker_prefetch_multiplier: 1,
        accept_content: ['json'],
      })
      expect(Object.keys(all)).not.toContain('hostname')
      expect(node.answer('conf', { with_defaults: 'no' })).toEqual({ include: ['spec'], deprecated_settings: null })
    })

    it('shows what was set to its default, what has no effect here, and what is no setting at all', () => {
      const node = new OfflinePanel(app, {
        config: {
          task_acks_late: false,
          broker_pool_limit: 10,
          CELERYD_TASK_TIME_LIMIT: 30,
          CELERY_RESULT_SERIALIZER: 'json',
          my_api_key: 's3cret',
          my_own: { when: new Date(0), of: [1n] },
          my_class: class Thing {},
          task_annotations: { '*': { rate_limit: '10/s' } },
        },
      })
      expect(node.answer('conf')).toEqual({
        task_acks_late: false,
        broker_pool_limit: 10,
        task_time_limit: 30,
        result_serializer: 'json',
        my_api_key: '********',
        my_own: { when: { __type__: 'datetime', __value__: '1970-01-01T00:00:00.000+00:00' }, of: [1] },
        my_class: expect.any(String),
        task_annotations: { '*': { rate_limit: '10/s' } },
        include: ['spec'],
        deprecated_settings: null,
      })
    })

    it('shows how keys are ordered, which is no secret', () => {
      const config = { task_order_by: { 'api.*': 'kwargs.key' }, task_order_key_error: 'unordered' }
      const all = { include: ['spec'], deprecated_settings: null }
      expect(new OfflinePanel(app, { config }).answer('conf')).toEqual({ ...config, ...all })
      expect(new OfflinePanel(app).answer('conf', { with_defaults: true })).toMatchObject({
        task_order_key_error: 'reject',
        worker_http_token: '********',
        security_key: '********',
      })
      const nested = { my_own: { ...config, token: 's3cret' } }
      expect(new OfflinePanel(app, { config: nested }).answer('conf')).toMatchObject({
        my_own: { task_order_by: { 'api.*': '********' }, task_order_key_error: '********', token: '********' },
      })
    })

    it('shows a value that goes in circles as a text', () => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      const node = new OfflinePanel(app, { config: { my_own: circle } })
      expect(node.answer('conf')).toMatchObject({ my_own: "{'self': {...}}" })
    })
  })

  it('report tells versions, platform and settings', () => {
    const node = new OfflinePanel(app, {
      config: { broker_url: 'amqp://me:s3cret@host//', result_backend: 'redis://:s3cret@host/0' },
    })
    const { ok } = node.answer('report') as { ok: string }
    expect(ok).toMatch(/^\nsoftware -> celeriac:1\.2\.3 node:\d+/)
    expect(ok).toContain('\nloader   -> spec\nsettings -> transport:amqp results:redis://:**@host/0\n\n')
    expect(ok).toContain("broker_url: 'amqp://me:********@host:5672//'")
    expect(ok).not.toContain('s3cret')
  })

  describe('queues', () => {
    it('are shown with every field of kombu', () => {
      const node = new OfflinePanel(app, {
        config: {
          task_queues: [
            { name: 'q', exchange: 'x', exchange_type: 'topic', routing_key: 'k', max_priority: 9, message_ttl: 1.5 },
          ],
        },
      })
      expect(node.answer('active_queues')).toEqual([
        {
          name: 'q',
          exchange: {
            name: 'x',
            type: 'topic',
            arguments: null,
            durable: true,
            passive: false,
            auto_delete: false,
            delivery_mode: null,
            no_declare: false,
          },
          routing_key: 'k',
          queue_arguments: { 'x-message-ttl': 1500, 'x-max-priority': 9 },
          binding_arguments: null,
          consumer_arguments: null,
          durable: true,
          exclusive: false,
          auto_delete: false,
          no_ack: false,
          alias: null,
          bindings: [],
          no_declare: null,
          expires: null,
          message_ttl: 1.5,
          max_length: null,
          max_length_bytes: null,
          max_priority: 9,
        },
      ])
    })

    it('are added by name, as they are defined, or as they are described', async () => {
      const node = new OfflinePanel(app, {
        config: {
          task_queues: [{ name: 'known', exchange: 'x', routing_key: 'k' }],
          task_create_missing_queues: false,
        },
      })
      expect(await node.answer('add_consumer', { queue: 'known', exchange: 'other' })).toEqual({
        ok: 'add consumer known',
      })
      expect(
        await node.answer('add_consumer', { queue: 'new', exchange: null, exchange_type: null, routing_key: null }),
      ).toEqual({
        ok: 'add consumer new',
      })
      await node.answer('add_consumer', {
        queue: 'described',
        exchange: 'x2',
        exchange_type: 'topic',
        routing_key: 'a.#',
        durable: false,
        max_priority: 5,
        nonsense: 1,
      })
      expect(node.queues.slice(1)).toMatchObject([
        { name: 'known', exchange: { name: 'x', type: 'direct' }, routingKey: 'k' },
        { name: 'new', exchange: { name: 'new', type: 'direct' }, routingKey: 'new', durable: true },
        {
          name: 'described',
          exchange: { name: 'x2', type: 'topic' },
          routingKey: 'a.#',
          durable: false,
          arguments: { 'x-max-priority': 5 },
        },
      ])
    })

    it('are cancelled by name', () => {
      const node = new OfflinePanel(app)
      expect(node.answer('cancel_consumer', { queue: 'celery' })).toEqual({ ok: 'no longer consuming from celery' })
      expect(node.asked).toEqual([['cancel', 'celery']])
    })

    it('need a name', () => {
      const node = new OfflinePanel(app)
      expect(node.answer('add_consumer')).toEqual({
        error: `TypeError("add_consumer() missing 1 required positional argument: 'queue'")`,
      })
      expect(node.answer('cancel_consumer', { queue: '' })).toEqual({ error: "ValueError('queue must be a name')" })
    })
  })

  describe('stats', () => {
    it("has Celery's figures", async () => {
      const node = new OfflinePanel(app, {
        slots: 2,
        config: {
          broker_url: 'amqp://me:s3cret@host:5673/v;amqp://me:s3cret@other//',
          task_time_limit: 30,
          task_soft_time_limit: 20,
        },
      })
      node.intake = [
        { queue: 'one', consumers: 2, messages: 3 },
        { queue: 'two', consumers: 1, messages: 2 },
      ]
      node.lamport.adjust(110)
      node.offline.clock.advance(11_500)
      node.offline.deliver('plain', { args: ['a'] })
      gated.end('a')
      await node.offline.turn()
      expect(node.answer('stats')).toMatchObject({
        total: { plain: 1 },
        pid: process.pid,
        clock: '111',
        uptime: 11,
        pool: {
          implementation: 'celeriac:async',
          'max-concurrency': 2,
          processes: [process.pid, process.pid],
          'max-tasks-per-child': 'N/A',
          'put-guarded-by-semaphore': false,
          timeouts: [20, 30],
          writes: 'N/A',
        },
        broker: {
          hostname: 'host',
          userid: 'me',
          virtual_host: 'v',
          port: 5673,
          insist: false,
          ssl: false,
          transport: 'amqp',
          connect_timeout: 4,
          transport_options: {},
          login_method: 'PLAIN',
          uri_prefix: null,
          heartbeat: 120,
          failover_strategy: 'round-robin',
          alternates: ['amqp://me:**@other:5672//'],
        },
        prefetch_count: 5,
      })
      const { autoscaler, rusage } = node.answer('stats') as Record<string, Record<string, number>>
      expect(autoscaler).toBeUndefined()
      expect(rusage?.maxrss).toBeGreaterThan(10_000)
    })

    it('counts tasks by their registered names, whatever their messages are called in logs', async () => {
      const node = new OfflinePanel(app, { slots: 2 })
      for (const name of ['a', 'b', 'c']) {
        node.offline.deliver('plain', { args: [name], headers: { shadow: `plain of ${name}` } })
        gated.end(name)
        await node.offline.turn()
      }
      expect(node.answer('stats')).toMatchObject({ total: { plain: 3 } })
    })

    it('tells of the autoscaler where there is one', () => {
      const node = new OfflinePanel(app, { slots: 2, config: { worker_autoscale: '4,1' } })
      for (const name of ['a', 'b', 'c']) node.offline.deliver('plain', { args: [name] })
      expect(node.answer('stats')).toMatchObject({ autoscaler: { max: 4, min: 1, current: 2, qty: 3 } })
    })

    it('has our own figures', async () => {
      const node = new OfflinePanel(app, { slots: 2 })
      node.offline.deliver('nobody')
      node.offline.deliver('keyed', { args: ['a'], kwargs: { key: 'k' } })
      node.offline.deliver('keyed', { args: ['b'], kwargs: { key: 'k' } })
      node.offline.deliver('plain', { args: ['c'] })
      gated.end('c')
      app.breaker('build-system', async () => undefined)
      await node.offline.turn()
      expect(node.answer('stats')).toMatchObject({
        slots: { size: 2, busy: 1, ready: 0 },
        parked: { eta: 0, order: 1, retry: 0, breaker: 0, rate: 0 },
        lanes: 1,
        breakers: { 'build-system': 'closed' },
        strays: 0,
        refused: { unregistered: 1 },
        endings: { succeeded: 1 },
      })
    })
  })
})
