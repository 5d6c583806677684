import type { Registry } from 'prom-client'
import { lazily } from '../lazily.js'
import type { Histogram } from './histogram.js'
import type { Routes } from './route.js'

const prometheus = lazily<typeof import('prom-client')>('prom-client')

export type Labels = Readonly<Record<string, string>>

/** One line of a family: its value, and the labels that distinguish it. */
export interface Measurement<Value = number> {
  readonly value: Value
  readonly labels?: Labels
}

/** Reads the values of a family, at each scrape. */
export type Read<Value = number> = () => Iterable<Measurement<Value>>

/** Gauges of prom-client that are named like counters; they duplicate their namesakes without `_total`. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']
/** Each measurement of the event loop's lag wakes up an idle process. */
const LAG_PRECISION_MS = 50

/**
 * Serves `/metrics`. Nothing is counted here: every family is read from the worker's own plain counters when it is
 * requested, because a labelled counter of prom-client costs a third of a microsecond each time, and a histogram half
 * of one.
 */
export class Metrics {
  private readonly families: Array<(registers: [Registry]) => void> = []
  private made: Registry | null = null
  private readonly written: Array<() => string> = []

  /** `GET /metrics`. */
  get routes(): Routes {
    return new Map([
      [
        'GET /metrics',
        async (_, response) => {
          const text = await this.text()
          response.writeHead(200, { 'Content-Type': prometheus().Registry.PROMETHEUS_CONTENT_TYPE }).end(text)
        },
      ],
    ])
  }

  gauge(name: string, help: string, labelNames: readonly string[], read: Read): void {
    this.families.push((registers) => {
      const { Gauge } = prometheus()
      new Gauge({
        ...described(name, help, labelNames),
        registers,
        collect() {
          this.reset()
          for (const { value, labels = {} } of read()) this.set(labels, value)
        },
      })
    })
  }

  /** @param name ends in `_total`; its values never fall */
  counter(name: string, help: string, labelNames: readonly string[], read: Read): void {
    this.families.push((registers) => {
      const { Counter } = prometheus()
      new Counter({
        ...described(name, help, labelNames),
        registers,
        collect() {
          this.reset()
          for (const { value, labels = {} } of read()) this.inc(labels, value)
        },
      })
    })
  }

  histogram(name: string, help: string, read: Read<Histogram>): void {
    this.written.push(() => {
      const lines = head(name, help, 'histogram')
      for (const { value, labels = {} } of read()) {
        for (const [bound, count] of value.cumulative()) {
          const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : pythonFloat(bound)
          lines.push(line(`${name}_bucket`, { ...labels, le }, count))
        }
        lines.push(line(`${name}_sum`, labels, value.sum), line(`${name}_count`, labels, value.count))
      }
      return lines.join('\n')
    })
  }

  /** Adds a gauge whose name, fixed by others, looks like a counter's. */
  untyped(name: string, help: string, read: Read): void {
    this.written.push(() =>
      [...head(name, help, 'untyped'), ...[...read()].map(({ value, labels }) => line(name, labels, value))].join('\n'),
    )
  }

  /** Returns all metrics, with those of the process, in Prometheus's text format. */
  async text(): Promise<string> {
    const ofProcess = await processMetrics().metrics()
    const own = await this.registry().metrics()
    return [own.trimEnd(), ...this.written.map((write) => write()), ofProcess.trimEnd(), ''].join('\n\n')
  }

  /** Created at the first scrape: a worker that is never scraped never loads prom-client and its dependencies. */
  private registry(): Registry {
    if (this.made) return this.made
    this.made = new (prometheus().Registry)()
    for (const make of this.families) make([this.made])
    return this.made
  }
}

function described(name: string, help: string, labelNames: readonly string[]) {
  return { name, help, labelNames: [...labelNames] }
}

let shared: Registry | null = null

/** Metrics of the process, shared by all workers in it. Their observers can't be stopped. */
function processMetrics(): Registry {
  if (shared) return shared
  shared = new (prometheus().Registry)()
  prometheus().collectDefaultMetrics({ register: shared, eventLoopMonitoringPrecision: LAG_PRECISION_MS })
  for (const name of MISNAMED) shared.removeSingleMetric(name)
  return shared
}

/**
 * Formats a bound as Python's client does: the text is a label, by which the buckets of several targets are added up.
 */
function pythonFloat(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`]
}

function line(name: string, labels: Labels = {}, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text).replaceAll('"', '\\"')}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
