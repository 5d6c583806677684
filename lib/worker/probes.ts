import type { App } from '../app/app.js'
import type { BreakerInfo } from '../breaker.js'
import type { Component } from '../component.js'
import type { Panel } from '../control/panel.js'
import { CombinedEvents } from '../events/combined.js'
import { CONTROLS, controlRoutes } from '../health/controlRoutes.js'
import { Failures } from '../health/failures.js'
import { History } from '../health/history.js'
import { livenessRoutes } from '../health/liveness.js'
import { Metrics } from '../health/metrics.js'
import { pageRoutes } from '../health/page.js'
import { Progress } from '../health/progress.js'
import { Pulse } from '../health/pulse.js'
import { type QueueDepth, QueueWatch } from '../health/queueWatch.js'
import { readinessRoutes } from '../health/readiness.js'
import type { Routes } from '../health/route.js'
import { HttpServer } from '../health/server.js'
import { type Source, takeReading } from '../health/snapshot.js'
import { TaskTally } from '../health/tally.js'
import { registerTaskMetrics } from '../health/taskMetrics.js'
import { registerWorkerMetrics } from '../health/workerMetrics.js'
import type { Line } from '../line/line.js'
import type { Clock, Logger } from '../ports.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Autoscaler } from '../scaling/autoscaler.js'
import { type Address, parseAddress } from '../settings/address.js'
import { secretsOf } from '../settings/mask.js'
import { type Settings, TABLE } from '../settings/table.js'
import { VERSION } from '../version.js'
import type { Consumer } from './consumer.js'

/** A queue's depth holds good for this many of the autoscaler's intervals, and for no less than this time. */
const DEPTH_INTERVALS = 3
const DEPTH_HOLDS_MS = 10_000

export interface ProbesOptions {
  readonly app: App
  readonly settings: Settings
  readonly nodename: string
  readonly clock: Clock
  log(scope: string): Logger
}

/** The parts of the worker that are looked at. */
export interface Watched {
  readonly worker: { readonly readiness: readonly string[]; readonly breakers: Iterable<BreakerInfo> }
  readonly line: Pick<Line, 'state' | 'lanes' | 'pool'>
  readonly autoscaler: Pick<Autoscaler, 'bounds' | 'decisions' | 'counts'>
  readonly consumer: Pick<Consumer, 'queues' | 'intake' | 'consuming'>
  readonly backend: { readonly kept: number }
  readonly remote: { readonly panel: Pick<Panel, 'answer'>; readonly dropped: ReadonlyMap<string, number> }
}

/** What operators see of the worker over HTTP: probes, metrics, the page. With `--without-http` it is nothing, and costs nothing. */
export class Probes {
  readonly components: Component[] = []
  private readonly queueWatch = new QueueWatch()
  private readonly progress = new Progress()
  private readonly pulse: Pulse
  private readonly tally: TaskTally
  private readonly failures: Failures
  private readonly depthHoldsMs: number
  private server: HttpServer | null = null
  private watched: Watched | null = null

  constructor(private readonly options: ProbesOptions) {
    const { app, clock, settings } = options
    this.tally = new TaskTally(clock, (name) => app.tasks.get(name) !== undefined)
    this.failures = new Failures(clock, secretsOf(settings))
    this.pulse = new Pulse({ clock, onBeat: (now) => this.look(now) })
    this.depthHoldsMs = Math.max(DEPTH_HOLDS_MS, DEPTH_INTERVALS * settings.worker_autoscale_interval * 1000)
  }

  /** What the line is to tell, instead of `events` alone. */
  listenTo(events: TaskEvents): TaskEvents {
    return this.options.settings.without_http ? events : new CombinedEvents(events, this.tally, this.failures.events)
  }

  /** Where it listens; null while it doesn't. */
  get address(): Address | null {
    return this.server?.address ?? null
  }

  /** Takes what the autoscaler heard of the queues. */
  heard(depths: ReadonlyMap<string, QueueDepth>): void {
    const own = new Map(this.watched?.consumer.intake().map(({ consumers, queue }) => [queue, consumers]))
    this.queueWatch.sample(this.options.clock.monotonic(), depths, (queue) => ({
      arrived: this.tally.arrivedFrom(queue),
      consumers: own.get(queue) ?? 0,
    }))
  }

  /** The depth of a queue as last heard, unless that was too long ago. */
  depthOf(queue: string): QueueDepth | undefined {
    return this.queueWatch.last(queue, this.options.clock.monotonic(), this.depthHoldsMs) ?? undefined
  }

  /** Makes the components, once the parts of the worker that they look at are there. */
  watch(watched: Watched): void {
    const { clock, log, settings } = this.options
    if (settings.without_http) return
    this.watched = watched
    this.server = new HttpServer({
      address: parseAddress(settings.worker_http),
      asked: settings.worker_http !== TABLE.worker_http.fallback,
      routes: this.routes(watched),
      clock,
      log: log('http'),
    })
    this.components.push(this.pulse, this.server)
  }

  private routes(watched: Watched): Routes {
    return new Map([
      ...livenessRoutes({ progress: this.progress, pulse: this.pulse }),
      ...readinessRoutes(watched.worker),
      ...this.metrics(watched).routes,
      ...this.page(watched),
    ])
  }

  private page(watched: Watched): Routes {
    const { clock, log, settings } = this.options
    const { worker_http_control: isOn, worker_http_token: token } = settings
    const source = this.source(watched)
    const history = new History({ clock, read: () => takeReading(source) })
    this.components.push(history)
    if (!isOn || token === null) return pageRoutes({ source, history, controls: [] })
    return new Map([
      ...pageRoutes({ source, history, controls: CONTROLS }),
      ...controlRoutes({ panel: watched.remote.panel, token, log: log('http') }),
    ])
  }

  private source({ autoscaler, consumer, line, worker }: Watched): Source {
    const { clock, nodename, settings } = this.options
    return {
      nodename,
      version: VERSION,
      pid: process.pid,
      clock,
      startedAt: clock.monotonic(),
      line,
      scaling: autoscaler,
      autoscales: settings.worker_autoscale !== null,
      queues: consumer,
      depthOf: (queue) => this.depthOf(queue),
      oldestSeconds: (queue) => this.queueWatch.oldestSeconds(queue, clock.monotonic()),
      readiness: () => worker.readiness,
      breakers: () => worker.breakers,
      failures: () => this.failures,
      tasks: () => this.tally,
      loop: () => this.pulse.latestUtilisation,
      memory: () => process.memoryUsage.rss(),
    }
  }

  private metrics({ autoscaler, backend, consumer, line, remote, worker }: Watched): Metrics {
    const { clock, nodename, settings } = this.options
    const metrics = new Metrics()
    registerTaskMetrics(metrics, nodename, this.tally)
    registerWorkerMetrics(metrics, {
      nodename,
      version: VERSION,
      pool: settings.worker_pool,
      clock,
      line,
      scaling: autoscaler,
      queues: consumer,
      depthOf: (queue) => this.depthOf(queue),
      oldestSeconds: (queue) => this.queueWatch.oldestSeconds(queue, clock.monotonic()),
      backend,
      breakers: worker.breakers,
      pulse: this.pulse,
      dropped: () => remote.dropped,
      readiness: () => worker.readiness,
      consuming: () => consumer.consuming,
    })
    return metrics
  }

  /** Each second: whether the worker does what it could do. */
  private look(now: number): void {
    const { watched } = this
    if (!watched) return
    const { consumer, line } = watched
    const { pool, state } = line
    this.progress.look(now, {
      free: pool.size - pool.busy,
      ready: state.ready,
      held: state.requests.size,
      waiting: consumer.intake().some(({ consumers, queue }) => {
        const depth = this.depthOf(queue)
        return depth !== undefined && depth.ready > 0 && consumers > 0 && depth.consumers === consumers
      }),
      moved: state.received + state.accepted + state.completed,
    })
  }
}
