import { randomUUID } from 'node:crypto'
import { BrokerOutlet } from '../app/brokerOutlet.js'
import { given } from '../app/options.js'
import type { Outlet, Route } from '../app/outlet.js'
import { createBackend } from '../backends/index.js'
import type { Celery } from '../celery.js'
import { systemClock } from '../clock.js'
import { KeptLog } from '../log/kept.js'
import { configuredQueues } from '../settings/queues.js'
import { rulesOf } from '../settings/routing.js'
import type { Settings } from '../settings/table.js'
import { createBroker, forgetMemoryBroker } from '../worker/brokers.js'
import { Worker } from '../worker/embedded.js'
import type { WorkerOptions } from '../worker/embeddedOptions.js'
import { SentTasks } from './sent.js'
import { loaded } from './settingsOf.js'

const RESULTS = 'cache+memory://'

/**
 * Options of a worker for a test: those of `new Worker`, without its name, its broker, its result backend and
 * `appModule`.
 */
export type TestWorkerOptions = Omit<WorkerOptions, 'hostname' | 'brokerUrl' | 'resultBackend' | 'appModule'>

/** A worker for a test, with its messages and its log. */
export interface TestWorker extends AsyncDisposable {
  /** The worker. */
  readonly worker: Worker
  /**
   * Messages that the app has sent since the start, from tasks and from elsewhere, and those that followed: callbacks,
   * steps of chains, bodies of chords. The worker runs them.
   */
  readonly sent: SentTasks
  /** Log of the worker, with all levels; empty if a `logger` is given. */
  readonly log: KeptLog
  /**
   * Waits for running tasks, and stops; the app sends through its own connection again. Messages that still wait in
   * queues are dropped.
   */
  stop(): Promise<void>
}

/**
 * Starts a worker for an app on a broker inside this process: whatever `broker_url` and `result_backend` say, messages
 * use a `memory://` broker of their own, and results `cache+memory://`. `delay(...)` and `get()` work as usual. The
 * worker consumes all queues that the app's settings name, and those to which a message is sent, and is ready when this
 * resolves.
 * @param options as for `new Worker`; with `queues`, it consumes only those
 * @throws ConfigurationError for wrong options and settings; or the error that keeps the worker from starting
 * @example
 * await using worker = await testWorker(app)
 * const result = await add.delay(1, 2)
 * expect(await result.get({ timeout: 5 })).toBe(3)
 */
export async function testWorker<Shared extends object>(
  app: Celery<Shared>,
  options: TestWorkerOptions = {},
): Promise<TestWorker> {
  const brokerUrl = `memory://${randomUUID()}`
  const hostname = `testing-${randomUUID()}@localhost`
  const settings = loaded({ ...app.conf, broker_url: brokerUrl, result_backend: RESULTS })
  const log = new KeptLog()
  const worker = new Worker(app as Celery, {
    queues: queuesOf(settings),
    logger: log,
    logLevel: 'DEBUG',
    withoutMingle: true,
    withoutGossip: true,
    withoutHeartbeat: true,
    // Used to add further queues; nobody else reaches it.
    enableRemoteControl: true,
    ...given(options),
    hostname,
    brokerUrl,
    resultBackend: RESULTS,
  })
  const broker = createBroker({ settings, clock: systemClock, log: () => log })
  const backend = createBackend(settings, { publisher: broker.publisher, log })
  const outlet = new BrokerOutlet(broker, backend, settings)
  const sent = new SentTasks(settings, () => undefined)
  // Recorded for the worker's tasks as well: of several lent outlets, the first one is used.
  const consumed = options.queues === undefined ? new Set(queuesOf(settings)) : null
  const takeBack = app.lend(recorded(outlet, sent, consumed), { worker: hostname })
  const stop = async (): Promise<void> => {
    await worker.stop()
    takeBack()
    await outlet.close()
    forgetMemoryBroker(brokerUrl)
  }
  try {
    await worker.start()
    await worker.ready
  } catch (thrown) {
    await stop()
    throw thrown
  }
  return { worker, sent, log, stop, [Symbol.asyncDispose]: stop }
}

/** @param consumed the queues that the worker consumes, to which others are added; null to leave them as they are */
function recorded(outlet: BrokerOutlet, sent: SentTasks, consumed: Set<string> | null): Outlet {
  const consume = async (route: Route, queue: string): Promise<void> => {
    await outlet.prepare(route)
    await outlet.tellWorkers('add_consumer', { queue })
  }
  return {
    settings: outlet.settings,
    backend: outlet.backend,
    route: (...call) => outlet.route(...call),
    tries: (options) => outlet.tries(options),
    prepare: (route, tries) => {
      const { queue } = route
      if (consumed === null || queue === null || consumed.has(queue)) return outlet.prepare(route, tries)
      consumed.add(queue)
      return consume(route, queue)
    },
    send: (message, route, delayMs, tries) => {
      sent.keep(message, route.queue)
      return outlet.send(message, route, delayMs, tries)
    },
    tellWorkers: (...command) => outlet.tellWorkers(...command),
    close: () => outlet.close(),
  }
}

/**
 * Returns all queues that the app's tasks may be sent to, as far as that is known beforehand: not those that a function
 * in `task_routes` returns; and not those that the settings forbid.
 */
function queuesOf(settings: Settings): string[] {
  const { task_create_missing_queues, task_default_queue, task_queues, task_routes } = settings
  const routed = rulesOf(task_routes ?? []).map((rule) => (typeof rule === 'string' ? rule : rule.queue))
  const names = [task_default_queue, ...(task_queues ?? []).map(({ name }) => name), ...routed]
  const wanted = task_create_missing_queues ? names : configuredQueues(settings)
  return [...new Set(wanted.filter((name) => name !== undefined))]
}
