import { Celery, type Conf } from '../../lib/index.js'

/*
 * What the types promise to those who configure an app. Nothing here runs: `npm run typecheck` compiles it, and an error that isn't there
 * fails it.
 */

export function right(): void {
  new Celery('app')
  new Celery('app', {})
  new Celery('app', { broker_url: 'amqp://', result_backend: null, task_time_limit: 0.5, worker_concurrency: 4 })
  new Celery('app', { broker_url: ['amqp://a', 'amqp://b'], accept_content: ['json', 'yaml'], imports: 'a,b' })
  new Celery('app', { broker_url: process.env.BROKER_URL, task_acks_late: true, task_default_rate_limit: '10/m' })
  new Celery('app', { worker_autoscale: [10, 2], worker_pool: 'threads', worker_http: 9891 })
  new Celery('app', { worker_autoscale: '10,2', broker_use_ssl: { ca_certs: 'ca.pem' } })
  new Celery('app', { worker_autoscale: { max: 10, min: 2 }, task_order_by: { 'build.*': 'kwargs.id' } })
  new Celery('app', {
    task_queues: ['a', { name: 'b', max_priority: 5, arguments: { 'x-single-active-consumer': true } }],
  })
  new Celery('app', {
    task_queues: { a: { exchange: 'a' } },
    task_routes: { 'a.*': 'a', b: { queue: 'b', priority: 3 } },
  })
  new Celery('app', { task_routes: [['a.*', { queue: 'a' }], { 'b.*': 'b' }] })
  // Celery's own, which have no effect here.
  new Celery('app', { beat_schedule: {}, result_serializer: 'json', worker_proc_alive_timeout: 60 })
  const conf: Conf = { broker_url: 'memory://' }
  new Celery('app', conf)
}

export function wrong(): void {
  // @ts-expect-error: misspelt
  new Celery('app', { broker_ulr: 'amqp://' })
  // @ts-expect-error: in camelCase
  new Celery('app', { brokerUrl: 'amqp://' })
  // @ts-expect-error: what Python's constructor takes
  new Celery('app', { broker: 'amqp://' })
  // @ts-expect-error: an option of the command line
  new Celery('app', { loglevel: 'INFO' })
  // @ts-expect-error: no number
  new Celery('app', { worker_concurrency: 'many' })
  // @ts-expect-error: no switch
  new Celery('app', { task_acks_late: 'no' })
  // @ts-expect-error: no pool
  new Celery('app', { worker_pool: 'fibers' })
  // @ts-expect-error: no list of names
  new Celery('app', { accept_content: [1] })
  // @ts-expect-error: not a pair of numbers
  new Celery('app', { worker_autoscale: 'ten' })
  // @ts-expect-error: a route has no such field
  new Celery('app', { task_routes: { 'a.*': { queues: 'a' } } })
  // @ts-expect-error: a queue needs a name
  new Celery('app', { task_queues: [{ max_priority: 5 }] })
}
