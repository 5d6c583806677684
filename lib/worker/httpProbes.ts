import type { BreakerInfo } from '../breaker.js'
import type { QueueDepth } from '../broker/intake.js'
import type { Component } from '../component.js'
import type { Panel } from '../control/panel.js'
import type { FleetInfo } from '../fleet/info.js'
import { CONTROLS, controlRoutes } from '../health/controlRoutes.js'
import { registerFleetMetrics } from '../health/fleetMetrics.js'
import { History } from '../health/history.js'
import { livenessRoutes } from '../health/liveness.js'
import { Metrics } from '../health/metrics.js'
import { pageRoutes } from '../health/page.js'
import { Progress } from '../health/progress.js'
import { Pulse } from '../health/pulse.js'
import { QueueWatch } from '../health/queueWatch.js'
import { readinessRoutes } from '../health/readiness.js'
import type { Routes } from '../health/route.js'
import { HttpServer } from '../health/server.js'
import { type Source, takeReading } from '../health/snapshot.js'
import { registerTaskMetrics } from '../health/taskMetrics.js'
import { taskSearchRoutes } from '../health/taskSearch.js'
import { registerWorkerMetrics } from '../health/workerMetrics.js'
import type { Line } from '../line/line.js'
import type { Backend, Clock, Logger } from '../ports.js'
import type { Autoscaler } from '../scaling/autoscaler.js'
import { type Address, parseAddress } from '../settings/address.js'
import { type Settings, TABLE } from '../settings/table.js'
import { VERSION } from '../version.js'
import type { Consumer } from './consumer.js'
import type { TaskRecords } from './records.js'

/** A queue's depth is valid for this many intervals of the autoscaler, and at least for the time below. */
const DEPTH_INTERVALS = 3
const DEPTH_HOLDS_MS = 10_000

/** The parts of the worker that probes read. */
export interface ProbesOptions {
  readonly settings: Settings
  readonly nodename: string
  readonly clock: Clock
  readonly records: TaskRecords
  readonly worker: { readonly readiness: readonly string[]; readonly breakers: Iterable<BreakerInfo> }
  readonly line: Pick<Line, 'state' | 'lanes' | 'pool'>
  readonly autoscaler: Pick<Autoscaler, 'bounds' | 'decisions' | 'counts'>
  readonly consumer: Pick<Consumer, 'queues' | 'intake' | 'consuming' | 'onDepths'>
  readonly fleets: { describe(): readonly FleetInfo[] }
  readonly backend: { readonly kept: number } & Pick<Backend, 'get' | 'storeUnlessReady'>
  readonly remote: { readonly panel: Pick<Panel, 'answer'>; readonly dropped: ReadonlyMap<string, number> }
  log(scope: string): Logger
}

/** Serves probes, metrics and the page over HTTP. */
export class HttpProbes {
  readonly components: readonly Component[]
  private readonly queueWatch = new QueueWatch()
  private readonly progress = new Progress()
  private readonly pulse: Pulse
  private readonly depthHoldsMs: number
  private readonly server: HttpServer

  constructor(private readonly options: ProbesOptions) {
    const { clock, consumer, log, settings } = options
    this.pulse = new Pulse({ clock, onBeat: (now) => this.look(now) })
    this.depthHoldsMs = Math.max(DEPTH_HOLDS_MS, DEPTH_INTERVALS * settings.worker_autoscale_interval * 1000)
    consumer.onDepths((depths) => this.heard(depths))
    const source = this.source()
    const history = new History({ clock, read: () => takeReading(source) })
    this.server = new HttpServer({
      address: parseAddress(settings.worker_http),
      asked: settings.worker_http !== TABLE.worker_http.fallback,
      routes: this.routes(source, history),
      clock,
      log: log('http'),
    })
    this.components = [history, this.pulse, this.server]
  }

  /** Address of the server; null while it doesn't listen. */
  get address(): Address | null {
    return this.server.address
  }

  private heard(depths: ReadonlyMap<string, QueueDepth>): void {
    const { clock, consumer, records } = this.options
    const own = new Map(consumer.intake().map(({ consumers, queue }) => [queue, consumers]))
    this.queueWatch.sample(clock.monotonic(), depths, (queue) => ({
      arrived: records.tally.arrivedFrom(queue),
      consumers: own.get(queue) ?? 0,
    }))
  }

  /** Returns the last known depth of a queue, unless it is too old. */
  depthOf(queue: string): QueueDepth | undefined {
    return this.queueWatch.last(queue, this.options.clock.monotonic(), this.depthHoldsMs) ?? undefined
  }

  private routes(source: Source, history: History): Routes {
    const { backend, clock, line, records } = this.options
    return new Map([
      ...livenessRoutes({ progress: this.progress, pulse: this.pulse }),
      ...readinessRoutes(this.options.worker),
      ...this.metrics().routes,
      ...taskSearchRoutes({ state: line.state, backend, clock, failures: () => records.failures }),
      ...this.page(source, history),
    ])
  }

  private page(source: Source, history: History): Routes {
    const { clock, log, remote, settings } = this.options
    const { worker_http_control: isOn, worker_http_token: token } = settings
    if (!isOn || token === null) return pageRoutes({ source, history, controls: [] })
    return new Map([
      ...pageRoutes({ source, history, controls: CONTROLS }),
      ...controlRoutes({ panel: remote.panel, token, clock, log: log('http') }),
    ])
  }

  private source(): Source {
    const { autoscaler, clock, consumer, line, nodename, records, settings, worker } = this.options
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
      failures: () => records.failures,
      tasks: () => records.tally,
      fleets: () => this.options.fleets.describe(),
      loop: () => this.pulse.latestUtilisation,
      memory: () => process.memoryUsage.rss(),
    }
  }

  private metrics(): Metrics {
    const { autoscaler, backend, clock, consumer, line, nodename, records, remote, settings, worker } = this.options
    const metrics = new Metrics()
    registerTaskMetrics(metrics, nodename, records.tally)
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
      fleets: () => this.options.fleets.describe(),
      backend,
      breakers: worker.breakers,
      pulse: this.pulse,
      dropped: () => remote.dropped,
      readiness: () => worker.readiness,
      consuming: () => consumer.consuming,
    })
    registerFleetMetrics(metrics, nodename, () => this.options.fleets.describe())
    return metrics
  }

  /** Checks, every second, whether the worker does all that it could. */
  private look(now: number): void {
    const { consumer, line } = this.options
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
