import type { Registry } from 'prom-client'
import { lazily } from '../lazily.js'
import type { Histogram } from './histogram.js'
import type { Routes } from './route.js'

const prometheus = lazily<typeof import('prom-client')>('prom-client')

export type Labels = Readonly<Record<string, string>>

/** One line of a family: its value, and what tells it from the other lines. */
export interface Measurement<Value = number> {
  readonly value: Value
  readonly labels?: Labels
}

/** Reads the values of a family, at each scrape. */
export type Read<Value = number> = () => Iterable<Measurement<Value>>

/** Gauges of prom-client whose names claim to be counters; they say the same as their namesakes without `_total`. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']
/** Each look at the event loop's lag wakes an idle process up. */
const LAG_PRECISION_MS = 50

/**
 * What `/metrics` says. Nothing is counted in here: every family is read off the worker's own plain counts when it is asked for,
 * because a labelled counter of prom-client costs a third of a microsecond each time, and a histogram half of one.
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

  /** A gauge whose name, given by others, would be wrong for one. */
  untyped(name: string, help: string, read: Read): void {
    this.written.push(() =>
      [...head(name, help, 'untyped'), ...[...read()].map(({ value, labels }) => line(name, labels, value))].join('\n'),
    )
  }

  /** Everything, with the figures of the process, in Prometheus's text format. */
  async text(): Promise<string> {
    const ofProcess = await processMetrics().metrics()
    const own = await this.registry().metrics()
    return [own.trimEnd(), ...this.written.map((write) => write()), ofProcess.trimEnd(), ''].join('\n\n')
  }

  /** Made at the first scrape: who is never scraped never loads prom-client, and what it loads in turn. */
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

/** Of the process, of which there is one however many workers run in it. Its observers can't be stopped. */
function processMetrics(): Registry {
  if (shared) return shared
  shared = new (prometheus().Registry)()
  prometheus().collectDefaultMetrics({ register: shared, eventLoopMonitoringPrecision: LAG_PRECISION_MS })
  for (const name of MISNAMED) shared.removeSingleMetric(name)
  return shared
}

/** As Python's client writes a bound: the text is a label, by which the buckets of several targets are added up. */
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
