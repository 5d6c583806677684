import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { ask } from '../support/ask.js'
import { Client } from '../support/client.js'
import { freePort } from '../support/freePort.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url))
/** Of the configuration that is shipped. */
const JOB = 'celery-celeriac'
const WORKERS = 2
const SLOTS = 3
const MESSAGES = 20

describe('Prometheus', () => {
  const tasks = new Gated()
  const workers: Awaited<ReturnType<typeof startWorker>>['worker'][] = []
  let client: Client
  let dir: string
  let prometheus: number
  let queue: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    for (let n = 0; n < WORKERS; n++) {
      const app = new OfflineApp('spec')
      app.task('spec.wait', { acksLate: true }, tasks.run)
      app.task('spec.fail', () => {
        throw Object.assign(new Error('away'), { name: 'UpstreamError' })
      })
      const config = { worker_concurrency: SLOTS, worker_http: '127.0.0.1:0' }
      workers.push((await startWorker(app, brokerUrl(), queue, config)).worker)
    }
    await client.publish(queue, [taskMessage('spec.fail'), taskMessage('spec.nobody')])
    await waitFor(() => workers.some(({ line }) => line.state.endings.get('failed') === 1), {
      what: 'the task to fail',
    })
    await client.publish(
      queue,
      Array.from({ length: MESSAGES }, (_, n) => taskMessage('spec.wait', { args: [`${n}`] })),
    )
    await waitFor(() => tasks.started.length === WORKERS * SLOTS, { what: 'every slot to be busy' })
    dir = await mkdtemp(join(tmpdir(), 'celeriac-prometheus-'))
    prometheus = await scrape()
  })

  afterAll(async () => {
    await killAllPrograms()
    await Promise.all(workers.map((worker) => worker.terminate()))
    await client.close()
    await rm(dir, { recursive: true })
  })

  /** A Prometheus that scrapes the workers, as pods of one deployment, and records what pods are scaled on. @returns its port */
  async function scrape(): Promise<number> {
    const port = await freePort()
    // Not every quarter of a minute: a spec has less patience.
    const rules = (await readFile(join(DEPLOY, 'prometheus/scaling.yml'), 'utf8')).replace(
      /interval: \w+/,
      'interval: 1s',
    )
    await writeFile(join(dir, 'scaling.yml'), rules)
    const targets = workers.map(({ probes }) => `127.0.0.1:${probes.address?.port}`)
    const config = {
      global: { scrape_interval: '1s' },
      rule_files: ['scaling.yml'],
      scrape_configs: [
        {
          job_name: JOB,
          static_configs: [{ targets, labels: { namespace: 'celeriac', component: 'short-running' } }],
        },
      ],
    }
    // JSON is YAML.
    await writeFile(join(dir, 'prometheus.yml'), JSON.stringify(config))
    const program = runProgram('prometheus', [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ])
    await program.waitForOutput(/Server is ready to receive web requests/)
    return port
  }

  async function query(expression: string): Promise<Array<{ metric: Record<string, string>; value: number }>> {
    const { body } = await ask(prometheus, `/api/v1/query?query=${encodeURIComponent(expression)}`)
    const { data, error, status } = JSON.parse(body)
    if (status !== 'success') throw new Error(`${expression}: ${error}`)
    return data.result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => ({
      metric,
      value: Number(value[1]),
    }))
  }

  async function values(expression: string): Promise<number[]> {
    return (await query(expression)).map(({ value }) => value)
  }

  async function metrics(): Promise<string> {
    return (await ask(workers[0]?.probes.address?.port ?? 0, '/metrics')).body
  }

  it('takes every line that a worker writes, and promtool finds nothing to object to', async () => {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
      input: await metrics(),
      encoding: 'utf8',
    })
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
  })

  it('has the figures of both workers', async () => {
    await waitFor(async () => (await values('celery_worker_slots_busy')).length === WORKERS, {
      what: 'the first scrapes',
    })
    expect(await values('celery_worker_slots_busy')).toEqual([SLOTS, SLOTS])
    expect(await values('celery_worker_slots_max')).toEqual([SLOTS, SLOTS])
    expect(await values('celery_worker_ready')).toEqual([1, 1])
    expect(await values('sum(celery_task_started_total{name="spec.wait"})')).toEqual([WORKERS * SLOTS])
    expect(await values('sum(celery_task_failed_total{name="spec.fail",exception="UpstreamError"})')).toEqual([1])
    expect(await values('sum(celery_task_failed_total{name="other",exception="NotRegistered"})')).toEqual([1])
    expect(await values('sum(celery_worker_messages_refused_total{reason="unregistered"})')).toEqual([1])
    expect(await query('celery_worker_tasks_active')).toHaveLength(WORKERS)
    // celery-exporter's label: the host, without the node's own name, which is a label of celery_worker_info.
    expect(new Set((await query('celery_worker_up')).map(({ metric }) => metric.hostname))).toEqual(
      new Set(workers.map(({ name }) => name.split('@')[1])),
    )
    expect(new Set((await query('celery_worker_info')).map(({ metric }) => metric.worker))).toEqual(
      new Set(workers.map(({ name }) => name)),
    )
    // What celery-mixin asks, of the jobs that it asks for.
    const of = `{job=~".*celery.*",queue_name="${queue}"}`
    expect(await values(`sum by (queue_name) (celery_active_worker_count${of})`)).toEqual([WORKERS])
    expect(await values(`sum by (queue_name) (celery_active_process_count${of})`)).toEqual([WORKERS * SLOTS])
    expect(await values(`sum(celery_task_queue_wait_time_count${of})`)).toEqual([WORKERS * SLOTS + 1])
    const buckets = (await query(`celery_task_runtime_bucket{name="spec.wait"}`)).map(({ metric }) => metric.le)
    expect([...new Set(buckets)].sort()).toEqual(
      // prometheus_client.Histogram.DEFAULT_BUCKETS, as it writes them.
      '+Inf 0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 10.0 2.5 5.0 7.5'.split(' '),
    )
  })

  it('has the depth and the age of the queue, and the load that follows', async () => {
    const waiting = MESSAGES - WORKERS * SLOTS
    const of = `{queue_name="${queue}"}`
    await waitFor(async () => (await values(`celery_queue_length${of}`)).join() === `${waiting},${waiting}`, {
      what: 'the depth of the queue',
    })
    expect(await values('celery_worker_load')).toEqual([(SLOTS + waiting) / SLOTS, (SLOTS + waiting) / SLOTS])
    expect(await values(`celery_active_consumer_count${of}`)).toEqual([WORKERS * SLOTS, WORKERS * SLOTS])
    await waitFor(async () => (await values(`min(celery_queue_oldest_wait_seconds${of}) > 2`)).length === 1, {
      what: 'the queue to have waited',
    })
  })

  it("evaluates what pods are scaled on, by the adapter's rule and by KEDA's query", async () => {
    const adapter = parse(await readFile(join(DEPLOY, 'kubernetes/components/hpa/prometheus-adapter.yaml'), 'utf8'))
    const [rule] = adapter.rules.external
    const [, series, matchers] = /^(\w+)\{(.*)\}$/.exec(rule.seriesQuery) ?? []
    const expression = rule.metricsQuery.replaceAll('<<.Series>>', series).replaceAll('<<.LabelMatchers>>', matchers)
    const keda = parse(await readFile(join(DEPLOY, 'kubernetes/components/keda/autoscaler.yaml'), 'utf8'))
    const [{ metadata }] = keda.spec.triggers
    // All that runs or waits, in pods of three slots.
    for (const asked of [expression, metadata.query]) {
      await waitFor(async () => Math.abs(((await values(asked))[0] ?? 0) - MESSAGES / SLOTS) < 0.001, {
        what: `${asked} to be ${MESSAGES / SLOTS}`,
      })
    }
  })

  it('finds in a worker each metric that dashboards, alerts and scaling ask for', async () => {
    const known = new Set([...(await metrics()).matchAll(/^# TYPE (\w+)/gm)].map((found) => found[1] ?? ''))
    const asked = new Set<string>()
    for (const file of await readdir(DEPLOY, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || !/\.(ya?ml|json)$/.test(file.name)) continue
      const text = await readFile(join(file.parentPath, file.name), 'utf8')
      for (const [name] of text.matchAll(/\bcelery_(?:task|worker|queue|active)_\w+/g)) {
        asked.add(name.replace(/_(?:bucket|sum|count)$/, (suffix) => (known.has(name) ? suffix : '')))
      }
    }
    expect(asked.size).toBeGreaterThan(20)
    expect([...asked].filter((name) => !known.has(name))).toEqual([])
  })
})
