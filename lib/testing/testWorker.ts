import { randomUUID } from 'node:crypto'
import { BrokerOutlet } from '../app/brokerOutlet.js'
import type { Outlet, Route } from '../app/outlet.js'
import { createBackend } from '../backends/index.js'
import type { Celery } from '../celery.js'
import { systemClock } from '../clock.js'
import { KeptLog } from '../log/kept.js'
import { rulesOf } from '../settings/routing.js'
import type { Settings } from '../settings/table.js'
import { createBroker, forgetMemoryBroker } from '../worker/brokers.js'
import { Worker } from '../worker/embedded.js'
import type { WorkerOptions } from '../worker/embeddedOptions.js'
import { SentTasks } from './sent.js'
import { loaded } from './settingsOf.js'

const RESULTS = 'cache+memory://'

/** Options of a worker for a test: those of `new Worker`, but for where it is and what it is called. */
export type TestWorkerOptions = Omit<WorkerOptions, 'hostname' | 'brokerUrl' | 'resultBackend' | 'appModule'>

/** A worker for a test, and what goes with it. */
export interface TestWorker extends AsyncDisposable {
  /** The worker. */
  readonly worker: Worker
  /** What the app has sent since the start, from tasks and from elsewhere, with what followed from it: callbacks, steps of chains, bodies of chords. The worker runs it. */
  readonly sent: SentTasks
  /** The worker's log, every level on; empty with a `logger` of one's own. */
  readonly log: KeptLog
  /** Waits for the tasks that run, and stops; the app sends by its own connection again. What still waits in queues is dropped. */
  stop(): Promise<void>
}

/**
 * Starts a worker for an app on a broker inside this process: whatever `broker_url` and `result_backend` say, messages go by `memory://`,
 * which nobody else shares, and results by `cache+memory://`. `delay(...)` and `get()` work as ever. It consumes all queues that the app's
 * settings name, and those to which a message is sent, and is ready when this resolves.
 * @param options as for `new Worker`; with `queues`, it consumes those alone
 * @throws ConfigurationError for wrong options and settings; what keeps the worker from starting
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
    // How it is told of further queues; nobody else reaches it.
    enableRemoteControl: true,
    ...options,
    hostname,
    brokerUrl,
    resultBackend: RESULTS,
  })
  const broker = createBroker({ settings, clock: systemClock, log: () => log })
  const backend = createBackend(settings, { publisher: broker.publisher, log })
  const outlet = new BrokerOutlet(broker, backend, settings)
  const sent = new SentTasks(settings, () => undefined)
  // For the worker's tasks as well: of those that are lent for a worker, the first counts.
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

/** @param consumed the queues that the worker consumes: others are added; null for whatever it was told to consume */
function recorded(outlet: BrokerOutlet, sent: SentTasks, consumed: Set<string> | null): Outlet {
  const consume = async (route: Route, queue: string): Promise<void> => {
    await outlet.prepare(route)
    await outlet.tellWorkers('add_consumer', { queue })
  }
  return {
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

/** All queues that the app's tasks may be sent to, as far as that can be known before it is sent: what a function in `task_routes` says is not. */
function queuesOf({ task_default_queue, task_queues, task_routes }: Settings): string[] {
  const routed = rulesOf(task_routes ?? []).map((rule) => (typeof rule === 'string' ? rule : rule.queue))
  const names = [task_default_queue, ...(task_queues ?? []).map(({ name }) => name), ...routed]
  return [...new Set(names.filter((name) => name !== undefined))]
}
