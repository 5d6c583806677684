import { availableParallelism } from 'node:os'
import { describe, expect, it } from '@jest/globals'
import { type Loaded, loadSettings, type Sources } from '../../lib/settings/load.js'
import { selectQueues } from '../../lib/settings/queues.js'

const load = (sources: Partial<Sources>): Loaded => loadSettings({ config: {}, env: {}, flags: {}, ...sources })

describe('loadSettings', () => {
  it('has nothing to say of no sources', () => {
    const { settings, warnings, faults } = load({})
    expect({ warnings, faults }).toEqual({ warnings: [], faults: [] })
    expect(settings).toMatchObject({
      broker_url: 'amqp://guest@localhost//',
      worker_concurrency: 16,
      worker_prefetch_multiplier: 1,
      worker_autoscale: null,
      loglevel: 'WARNING',
      hostname: 'celery@%h',
      task_default_queue: 'celery',
      queues: null,
    })
    expect(Object.isFrozen(settings)).toBe(true)
  })

  it('lets a flag win over the environment, that over the configuration, and that over the default', () => {
    const config = { worker_concurrency: 2 }
    const env = { CELERY_WORKER_CONCURRENCY: '3' }
    const flags = { worker_concurrency: '4' }
    expect(load({ config }).settings.worker_concurrency).toBe(2)
    expect(load({ config, env }).settings.worker_concurrency).toBe(3)
    expect(load({ config, env, flags }).settings.worker_concurrency).toBe(4)
  })

  it.each([
    ['CELERY_BROKER_URL', 'broker_url', 'amqp://h', 'amqp://h'],
    ['CELERY_BROKER', 'broker_url', 'amqp://h', 'amqp://h'],
    ['BROKER_URL', 'broker_url', 'amqp://h', 'amqp://h'],
    ['CELERY_TASK_ACKS_LATE', 'task_acks_late', 'yes', true],
    ['CELERY_WORKER_AUTOSCALE', 'worker_autoscale', '10,2', { max: 10, min: 2 }],
    ['CELERY_WORKER_HOSTNAME', 'hostname', 'w1', 'w1'],
    ['CELERY_WORKER_QUEUES', 'queues', 'a,b', ['a', 'b']],
    ['CELERY_WORKER_LOGLEVEL', 'loglevel', 'info', 'INFO'],
    ['CELERY_WORKER_POOL', 'worker_pool', 'solo', 'solo'],
    ['AUTOSCALE_KEEPALIVE', 'worker_autoscale_keepalive', '5', 5],
    ['CELERY_WORKER_TIME_LIMIT', 'task_time_limit', '30', 30],
    ['CELERY_APP', 'app', 'proj', 'proj'],
    ['NO_COLOR', 'no_color', 'anything', true],
    ['CELERY_TASK_ORDER_BY', 'task_order_by', '{"a.*": "kwargs.id"}', { 'a.*': 'kwargs.id' }],
  ] as const)('reads %s', (variable, name, text, value) => {
    const { settings, faults } = load({ env: { [variable]: text } })
    expect(faults).toEqual([])
    expect(settings[name]).toEqual(value)
  })

  it('reads no option of the command line from CELERY_<NAME>, which is an old name of other settings', () => {
    expect(load({ env: { CELERY_QUEUES: 'a' } }).settings.queues).toBeNull()
  })

  it('takes an empty environment variable for an absent one', () => {
    expect(load({ env: { CELERY_WORKER_CONCURRENCY: '' } })).toMatchObject({
      settings: { worker_concurrency: 16 },
      faults: [],
    })
  })

  it.each([
    ['CELERY_WORKER_QUEUES', 'queues', 'a,b\r', ['a', 'b']],
    ['CELERY_WORKER_HOSTNAME', 'hostname', 'w1@%h\r', 'w1@%h'],
    ['CELERY_TASK_ACKS_LATE', 'task_acks_late', 'yes\r', true],
    ['CELERY_WORKER_POOL', 'worker_pool', 'solo\r', 'solo'],
    ['CELERIAC_HTTP_TOKEN', 'worker_http_token', 'correct-horse-battery\r', 'correct-horse-battery'],
    ['CELERY_WORKER_CONCURRENCY', 'worker_concurrency', '\r', 16],
  ] as const)('reads %s from an env file with line ends of Windows', (variable, name, text, value) => {
    const { settings, faults } = load({ env: { [variable]: text } })
    expect(faults).toEqual([])
    expect(settings[name]).toEqual(value)
  })

  it('tells all faults at once, each with its source, its value and what is accepted', () => {
    const { faults, settings } = load({
      config: { worker_parked_limit: -1, task_default_queue_type: 'stream' },
      env: { CELERY_WORKER_CONCURRENCY: 'many' },
      flags: { worker_autoscale: 'a,b', loglevel: 'LOUD' },
    })
    expect(faults.toSorted()).toEqual([
      '--autoscale "a,b": expected the most and the fewest slots as whole numbers, such as 10,2, or the most alone',
      '-l/--loglevel "LOUD": expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL',
      'CELERY_WORKER_CONCURRENCY "many": expected a whole number of at least 1',
      'app config task_default_queue_type "stream": expected one of classic, quorum',
      'app config worker_parked_limit -1: expected a whole number of at least 0',
    ])
    expect(settings.worker_concurrency).toBe(16)
  })

  it('shows no password in a fault', () => {
    const { faults } = load({ flags: { broker_url: 'redis://:hunter22@h/0' } })
    expect(faults).toEqual([
      '-b/--broker "redis://:**@h/0": expected a RabbitMQ URL such as amqp://user:password@host:5672/vhost (or amqps, pyamqp, librabbitmq), or memory://',
    ])
  })

  it.each([
    ['broker_transport_options', '{"manager_password": "hunter22"', { manager_password: 'hunter22' }],
    ['broker_use_ssl', '{"password": "hunter22", "other": 1}', { password: 'hunter22', other: 1 }],
    ['redis_backend_use_ssl', '{"ssl_password": "hunter22"', { ssl_password: 'hunter22', other: 1 }],
    ['result_backend_transport_options', '{"sentinel_kwargs": {"password": "hunter22"}', [{ password: 'hunter22' }]],
  ])('shows no password in a fault of %s, a table that may hold one', (name, text, value) => {
    for (const source of [{ env: { [`CELERY_${name.toUpperCase()}`]: text } }, { config: { [name]: value } }]) {
      const { faults } = load(source)
      expect(faults.join()).not.toContain('hunter22')
      if (name !== 'broker_transport_options') expect(faults).toEqual([expect.stringContaining(' "**": ')])
    }
  })

  it('warns of quotes that an env file has left around a value', () => {
    const env = { CELERY_WORKER_QUEUES: '"a,b"', CELERY_WORKER_CONCURRENCY: '4', CELERY_TASK_DEFAULT_QUEUE: "'c'" }
    const warning = 'the quotes around the value are part of it; remove them unless that is meant'
    const { settings, warnings } = load({ env })
    expect(settings.queues).toEqual(['"a', 'b"'])
    expect(warnings.toSorted()).toEqual([`CELERY_TASK_DEFAULT_QUEUE: ${warning}`, `CELERY_WORKER_QUEUES: ${warning}`])
    expect(load({ env: { CELERY_WORKER_QUEUES: 'a"b,"' } }).warnings).toEqual([])
  })

  it('joins a list of brokers', () => {
    expect(load({ config: { broker_url: ['amqp://a', 'amqp://b'] } }).settings.broker_url).toBe('amqp://a;amqp://b')
  })

  it('takes the value 0 as Celery does: for "not given" where nothing can be 0', () => {
    const zero = { worker_concurrency: '0', worker_prefetch_multiplier: '0', task_time_limit: '0' }
    const flags = { ...zero, heartbeat_interval: '0' }
    const { settings, faults } = load({ config: { worker_prefetch_multiplier: 4 }, flags })
    expect(faults).toEqual([])
    expect(settings).toMatchObject({ worker_concurrency: 16, worker_prefetch_multiplier: 4, task_time_limit: null })
    expect(settings.heartbeat_interval).toBeNull()
    expect(load({ config: { worker_prefetch_multiplier: 0 } }).settings.worker_prefetch_multiplier).toBe(0)
  })

  it('takes null in the configuration for none where it has a meaning, and for an absent value elsewhere', () => {
    const config = { redis_socket_timeout: null, result_expires: null, worker_max_deliveries: null }
    const { configured, settings } = load({ config: { ...config, worker_concurrency: null, task_acks_late: null } })
    expect(settings).toMatchObject({ ...config, worker_concurrency: 16, task_acks_late: false })
    expect(Object.fromEntries(configured)).toEqual(config)
    expect(load({ config, env: { CELERY_RESULT_EXPIRES: '60' } }).settings.result_expires).toBe(60)
  })

  it('takes undefined for an absent value', () => {
    expect(load({ config: { result_expires: undefined } }).settings.result_expires).toBe(86_400)
  })

  it('warns once of what has no effect, and only if it asks for something', () => {
    expect(load({ flags: { beat: true } }).warnings).toEqual([
      '-B/--beat has no effect: there is no beat; run celery beat',
    ])
    expect(load({ flags: { beat: false } }).warnings).toEqual([])
    expect(load({ config: { worker_send_task_events: false, result_backend: null } }).warnings).toEqual([])
  })

  it('takes the old upper-case names, and says what they are called now', () => {
    const { settings, warnings } = load({ config: { CELERYD_CONCURRENCY: 3, BROKER_URL: 'amqp://h' } })
    expect(settings).toMatchObject({ worker_concurrency: 3, broker_url: 'amqp://h' })
    expect(warnings).toEqual([
      'app config CELERYD_CONCURRENCY: is the old name of worker_concurrency; it counts, but write the new one',
      'app config BROKER_URL: is the old name of broker_url; it counts, but write the new one',
    ])
  })

  it.each([
    ['BROKER_CONNECTION_RETRY_ON_STARTUP', 'broker_connection_retry_on_startup', true],
    ['CELERY_ALLOW_ERROR_CB_ON_CHORD_HEADER', 'task_allow_error_cb_on_chord_header', true],
    ['CELERY_DEFAULT_QUEUE_TYPE', 'task_default_queue_type', 'quorum'],
    ['CELERYD_DISABLE_PREFETCH', 'worker_disable_prefetch', true],
    ['CELERYD_ENABLE_SOFT_SHUTDOWN_ON_IDLE', 'worker_enable_soft_shutdown_on_idle', true],
    ['CELERYD_PROC_ALIVE_TIMEOUT', 'worker_proc_alive_timeout', 7],
    ['CELERYD_SOFT_SHUTDOWN_TIMEOUT', 'worker_soft_shutdown_timeout', 7],
  ] as const)('takes %s, as Celery 5 reads beside other old names', (old, name, value) => {
    expect(load({ config: { [old]: value } }).settings[name]).toBe(value)
  })

  it('lets the new name win over the old', () => {
    expect(load({ config: { worker_concurrency: 2, CELERYD_CONCURRENCY: 3 } }).settings.worker_concurrency).toBe(2)
  })

  it.each([
    ['broker_pool_limit', 'app config broker_pool_limit: has no effect here; ignored'],
    ['BROKER_POOL_LIMIT', 'app config BROKER_POOL_LIMIT: has no effect here; ignored'],
    [
      'CELERY_TASK_ACKS_LATE',
      'app config CELERY_TASK_ACKS_LATE: unknown setting, ignored; did you mean task_acks_late?',
    ],
    ['CELERY_DISABLE_EVERYTHING', 'app config CELERY_DISABLE_EVERYTHING: has no effect here; ignored'],
    ['task_ack_late', 'app config task_ack_late: unknown setting, ignored; did you mean task_acks_late?'],
    ['colour', 'app config colour: unknown setting, ignored'],
    ['queues', 'app config queues: is an option of the command line only (-Q/--queues); ignored'],
  ])('warns of %s in a configuration, and goes on', (name, warning) => {
    expect(load({ config: { [name]: 1 } })).toMatchObject({ warnings: [warning], faults: [] })
  })

  it("takes kombu's transport options, of which those for its manager count", () => {
    const options = { manager_hostname: 'h', manager_port: 15672 }
    const loaded = load({ config: { broker_transport_options: options } })
    expect(loaded).toMatchObject({ settings: { broker_transport_options: options }, warnings: [], faults: [] })
    expect(load({ config: { broker_transport_options: { ...options, max_retries: 3 } } }).warnings).toEqual([
      'broker_transport_options has no effect here with max_retries',
    ])
  })

  it('knows all that was configured, by whatever way, under the present names', () => {
    const { configured } = load({
      config: { task_acks_late: false, CELERYD_PREFETCH_MULTIPLIER: 4, broker_pool_limit: 10, mine: 1, queues: 'a' },
      env: { CELERY_TASK_IGNORE_RESULT: 'no' },
      flags: { worker_concurrency: '16', loglevel: 'INFO' },
    })
    expect(Object.fromEntries(configured)).toEqual({
      task_acks_late: false,
      worker_prefetch_multiplier: 4,
      broker_pool_limit: 10,
      mine: 1,
      task_ignore_result: false,
      worker_concurrency: 16,
    })
  })

  it('refuses more slots than the pool can have, before any is opened', () => {
    expect(load({ flags: { worker_concurrency: '65536', worker_autoscale: '4000000,1' } }).faults).toEqual([
      '-c/--concurrency 65536: expected at most 65535 slots in the pool async',
      '--autoscale 4000000: expected at most 65535 slots in the pool async',
    ])
    expect(load({ flags: { worker_pool: 'threads', worker_concurrency: '1025' } }).faults).toEqual([
      '-c/--concurrency 1025: expected at most 1024 slots in the pool threads',
    ])
    expect(load({ flags: { worker_pool: 'prefork', worker_autoscale: '1024,1' } }).faults).toEqual([])
    expect(load({ flags: { worker_concurrency: '65535' } }).faults).toEqual([])
  })

  it('warns of a serializer and of a compression that nothing can be sent in', () => {
    const { faults, warnings } = load({ config: { task_serializer: 'pickle', task_compression: 'bzip2' } })
    expect(faults).toEqual([])
    expect(warnings).toEqual([
      'task_serializer "pickle" cannot be written here, so nothing can be sent; expected one of json, yaml, msgpack',
      'task_compression "bzip2" cannot be written here, so nothing can be sent; expected gzip, brotli, or zstd from Node 22.15 on',
    ])
    const others = { task_serializer: 'application/x-yaml', task_compression: 'application/x-brotli' }
    expect(load({ config: others }).warnings).toEqual([])
  })

  it('warns of a serializer whose messages would be rejected', () => {
    const { faults, settings, warnings } = load({ config: { accept_content: ['json', 'yml', 'application/x-own'] } })
    expect({ faults, accepted: settings.accept_content }).toEqual({
      faults: [],
      accepted: ['json', 'yml', 'application/x-own'],
    })
    expect(warnings).toEqual([
      'accept_content: "yml" cannot be read here, so messages in it are rejected; known are json, yaml, msgpack, raw',
    ])
  })

  it('makes one slot of the pool solo, and says that green threads are run as async', () => {
    expect(load({ flags: { worker_pool: 'solo', worker_concurrency: '8', worker_autoscale: '3,1' } })).toMatchObject({
      settings: { worker_concurrency: 1, worker_autoscale: null },
      warnings: ['--autoscale has no effect: the pool solo has one slot'],
    })
    expect(load({ flags: { worker_pool: 'prefork' } }).warnings).toEqual([])
    expect(load({ flags: { worker_pool: 'prefork' } }).settings.worker_concurrency).toBe(availableParallelism())
    expect(load({ flags: { worker_pool: 'prefork', worker_concurrency: '3' } }).settings.worker_concurrency).toBe(3)
    expect(load({ flags: { worker_pool: 'gevent' } }).warnings).toEqual([
      '-P/--pool gevent is run as async, which is what it is for: tasks that wait, in one process',
    ])
  })

  it('refuses a soft time limit above the hard one', () => {
    expect(load({ flags: { task_time_limit: '10', task_soft_time_limit: '20' } }).faults).toEqual([
      '--soft-time-limit 20: expected no more than --time-limit, which is 10; the hard limit would come first',
    ])
  })

  it('takes an empty list of queues for none, as Celery does', () => {
    const { faults, settings } = load({ config: { task_queues: [], task_default_queue: 'own' } })
    expect(faults).toEqual([])
    expect(selectQueues(settings).queues.map(({ name }) => name)).toEqual(['own'])
  })

  it('refuses a queue that is nowhere defined while none may be made up, beside the other faults', () => {
    const { faults } = load({ config: { task_create_missing_queues: false }, flags: { queues: 'a', loglevel: 'x' } })
    expect(faults).toHaveLength(2)
    expect(faults[1]).toContain('queue "a" isn\'t defined in task_queues')
  })
})
