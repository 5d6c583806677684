import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { DEPLOY } from './compose.js'
import type { Scrape } from './fleetLoad.js'

export const PROMETHEUS = join(DEPLOY, 'prometheus')

export interface Series {
  readonly series: string
  readonly values: string
}

/** What is played to the rules of deploy/prometheus, one value in 15 seconds, and what comes of it. */
export interface Play {
  readonly series: readonly Series[]
  /** Expressions and the values that they have a minute later, by the text of their labels. */
  readonly expressions?: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Alerts, the labels that they fire with, and the summary, at a time such as 10m. */
  readonly alerts?: { readonly at: string; readonly fire: Readonly<Record<string, Firing | null>> }
}

export type Firing = readonly [labels: Readonly<Record<string, string>>, summary: string]

export interface Alert {
  readonly alert: string
  readonly annotations: { readonly summary: string; readonly description?: string }
}

export function readAlerts(): Alert[] {
  const { groups } = parse(readFileSync(join(PROMETHEUS, 'alerts.yml'), 'utf8')) as { groups: { rules: Alert[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

/**
 * Runs promtool beside the files of deploy/prometheus, and files of the caller's.
 * @throws with promtool's words
 */
export function promtool(args: readonly string[], files: Readonly<Record<string, unknown>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'celeriac-promtool-'))
  try {
    cpSync(PROMETHEUS, directory, { recursive: true })
    // JSON is YAML.
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), JSON.stringify(content))
    return execFileSync('promtool', args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** @throws with promtool's words, where something else comes of it than was said */
export function playRules({ series, expressions = {}, alerts }: Play): void {
  const annotations = new Map(readAlerts().map((alert) => [alert.alert, alert.annotations]))
  const test = {
    interval: '15s',
    input_series: series,
    promql_expr_test: Object.entries(expressions).map(([expr, samples]) => ({
      expr,
      eval_time: '1m',
      exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
    })),
    alert_rule_test: Object.entries(alerts?.fire ?? {}).map(([alertname, fire]) => ({
      eval_time: alerts?.at,
      alertname,
      exp_alerts: fire
        ? [{ exp_labels: fire[0], exp_annotations: { ...annotations.get(alertname), summary: fire[1] } }]
        : [],
    })),
  }
  const content = { rule_files: ['scaling.yml', 'alerts.yml'], evaluation_interval: '15s', tests: [test] }
  promtool(['test', 'rules', 'tests.yml'], { 'tests.yml': content })
}

/** The labels of a target, as the scrape of a cluster puts them on. */
export const TARGET = 'namespace="n",component="c"'

/** What Prometheus has of a fleet: the gauges of each worker, with the labels of its target. */
export function seriesOf(scrapes: readonly Scrape[], target = TARGET): Series[] {
  return scrapes.flatMap((scrape, index) => {
    const labels = `${target},instance="10.0.0.${index}:8080"`
    const gauge = (name: string, value: number, more = ''): Series => ({
      series: `${name}{${labels}${more}}`,
      values: `${value}x8`,
    })
    const ofWorker = `,hostname="w@${index}"`
    return [
      gauge('celery_worker_slots', scrape.slots, ofWorker),
      gauge('celery_worker_slots_max', scrape.slotsMax, ofWorker),
      gauge('celery_worker_slots_busy', scrape.busy, ofWorker),
      gauge('celery_worker_reserved', scrape.reserved, ofWorker),
      gauge('celery_worker_event_loop_utilization', scrape.loopUtilisation, ofWorker),
      ...(['open', 'closed'] as const).map((state) =>
        gauge(
          'celery_worker_breaker_state',
          scrape.breakerOpen === (state === 'open') ? 1 : 0,
          `${ofWorker},breaker="redis",state="${state}"`,
        ),
      ),
      ...Object.entries(scrape.ready).map(([queue, ready]) =>
        gauge('celery_queue_length', ready, `,queue_name="${queue}"`),
      ),
    ]
  })
}

/** A worker that does nothing, with 2 of 16 slots open, but for what is given. */
export function worker(parts: Partial<Scrape> = {}): Scrape {
  return {
    slots: 2,
    slotsMax: 16,
    busy: 0,
    reserved: 0,
    loopUtilisation: 0.1,
    breakerOpen: false,
    ready: { q: 0 },
    ...parts,
  }
}
