import { randomUUID } from 'node:crypto'
import { Celery } from '../../lib/celery.js'
import type { Worker } from '../../lib/worker/worker.js'
import { startWorker } from './inProcessWorker.js'
import type { MemoryLog } from './memoryLog.js'

export interface MemoryWorkerOptions {
  /** `celery` if not given. */
  readonly queues?: readonly string[]
  /** Settings of the worker and of the app. */
  readonly config?: Record<string, unknown>
  /** One that others share; one of its own if not given. */
  readonly brokerUrl?: string
}

/** An app and its worker on `memory://`: broker, results, producer and worker are all in the spec's own process. */
export class MemoryWorker {
  private constructor(
    readonly app: Celery,
    readonly worker: Worker,
    readonly log: MemoryLog,
    readonly brokerUrl: string,
  ) {}

  /** @param define adds the tasks */
  static async start(define: (app: Celery) => void, options: MemoryWorkerOptions = {}): Promise<MemoryWorker> {
    const { brokerUrl = `memory://${randomUUID()}`, config = {}, queues = ['celery'] } = options
    const results = { result_backend: 'cache+memory://', ...config }
    const app = new Celery('spec', { broker_url: brokerUrl, ...results })
    define(app)
    const { log, worker } = await startWorker(app, brokerUrl, queues, results)
    return new MemoryWorker(app, worker, log, brokerUrl)
  }

  /** What becomes of a task: its state, and what it returned or the error that it failed with. */
  async outcome(name: string, args: readonly unknown[] = [], kwargs = {}, options = {}): Promise<[string, unknown]> {
    const sent = await this.app.sendTask(name, args, kwargs, options)
    const value = await sent.get({ timeout: 60, propagate: false })
    return [await sent.state(), value]
  }

  async stop(): Promise<void> {
    await this.worker.stop()
    await this.app.close()
  }
}
