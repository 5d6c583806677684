import { Celery, Worker } from '../../lib/index.js'

/*
 * What the types promise to those who start a worker from code. Nothing here runs: `npm run typecheck` compiles it, and an error that
 * isn't there fails it.
 */

const app = new Celery('types')

export function right(): void {
  new Worker(app)
  new Worker(app, { queues: ['a', 'b'], excludeQueues: 'c', concurrency: 4, autoscale: [16, 2], hostname: 'w1@%h' })
  new Worker(app, {
    logLevel: 'info',
    logger: console,
    http: 9891,
    pool: 'threads',
    appModule: new URL('file:///app.js'),
  })
  new Worker(app, { maxTasksPerChild: 100, taskTimeLimit: 30, brokerUrl: 'memory://', withoutGossip: true })
  new Worker(app, { workerLogFormat: '%(message)s', logFormat: 'json', queues: undefined })
  const worker = new Worker(app)
  worker.on('stopped', ({ error }) => error?.message)
  worker.once('lost', (reason) => reason.message)
}

export function wrong(): void {
  const worker = new Worker(app)
  // @ts-expect-error: no such event
  worker.on('started', () => undefined)
  // @ts-expect-error: it tells no reason
  worker.on('ready', (reason: Error) => reason)
  // @ts-expect-error: misspelt
  new Worker(app, { concurency: 4 })
  // @ts-expect-error: Celery's spelling
  new Worker(app, { worker_concurrency: 4 })
  // @ts-expect-error: Python's spelling
  new Worker(app, { exclude_queues: ['a'] })
  // @ts-expect-error: one of the command line only
  new Worker(app, { pidfile: 'a.pid' })
  // @ts-expect-error: no number
  new Worker(app, { concurrency: '4' })
  // @ts-expect-error: leave it out
  new Worker(app, { concurrency: null })
  // @ts-expect-error: no level
  new Worker(app, { logLevel: 'loud' })
  // @ts-expect-error: no logger
  new Worker(app, { logger: { info: () => undefined } })
  // @ts-expect-error: no app
  new Worker('app')
}
