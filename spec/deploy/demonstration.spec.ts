import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ask } from '../support/ask.js'
import { ownBroker } from '../support/ownBroker.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { redisUrl } from '../support/services.js'
import { ROOT } from '../support/workerProgram.js'
import { DEPLOY, serviceOf } from './compose.js'

/** The producer as its container starts it, but for one burst. */
const ONE_BURST = 'import random, producer; random.seed(1); producer.main(bursts=1, pause=0)'
/** Recorded by deploy/prometheus/scaling.yml, or by Prometheus itself. */
const NOT_OURS = new Set([
  'celery_fleet_load',
  'celery_fleet_outstanding',
  'celery_fleet_pod_slots',
  'celery_fleet_ready',
])

describe('the demonstration, without its containers', () => {
  const brokerUrl = ownBroker()
  afterEach(killAllPrograms)

  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    CELERY_BROKER_URL: brokerUrl(),
    CELERY_RESULT_BACKEND: redisUrl(),
  })

  /** The worker with the arguments that compose.yaml gives it, on a port of its own. */
  async function startWorker(...before: string[]): Promise<{ worker: Program; port: number }> {
    const args = (serviceOf('worker').command ?? []).map((arg) =>
      arg
        .replace('/app/app/', 'deploy/compose/app/')
        .replace('--http=0.0.0.0:8080', '--http=127.0.0.1:0')
        .replace('demo@%h', `demo${process.pid}@%h`),
    )
    const [command = '', ...rest] = [...before, process.execPath, 'bin/celeriac.js', ...args]
    const worker = runProgram(command, rest, { cwd: ROOT, env: env() })
    const [, port] = await worker.waitForOutput(/HTTP on 127\.0\.0\.1:(\d+)/)
    await worker.waitForOutput(/ ready\.$/m)
    return { worker, port: Number(port) }
  }

  it("runs the tasks that the Python producer sends, and answers what it asks; the dashboard's metrics are there", async () => {
    const { port } = await startWorker()
    const producer = runProgram('/usr/bin/python3', ['-c', ONE_BURST], {
      env: { ...env(), PYTHONPATH: join(DEPLOY, 'compose') },
    })
    await producer.exited
    expect(producer.output).toMatch(/^(\d+) builds sent; the last one says build \d+ has ended$/m)
    const metrics = (await ask(port, '/metrics')).body
    const families = new Set([...metrics.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
    for (const name of namesIn('grafana/celeriac.json', 'prometheus/scaling.yml', 'prometheus/alerts.yml')) {
      expect([name, families.has(name)]).toEqual([name, true])
    }
  })

  it('stops warmly on TERM as process 1 of a container, which has no init before it', async () => {
    const { worker } = await startWorker('unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child')
    const [inside = ''] = readFileSync(`/proc/${worker.pid}/task/${worker.pid}/children`, 'utf8').trim().split(' ')
    const status = readFileSync(`/proc/${inside}/status`, 'utf8')
    expect(/^NSpid:\s+\d+\s+(?:\d+\s+)*?(\d+)$/m.exec(status)?.[1]).toBe('1')
    process.kill(Number(inside), 'SIGTERM')
    expect((await worker.exited).code).toBe(0)
    expect(worker.output).toContain('worker: Warm shutdown (MainProcess)')
    expect(worker.output).not.toContain('Cold shutdown')
  })
})

/** The metrics that files ask Prometheus for, without what is made of them there. */
function namesIn(...paths: string[]): string[] {
  const names = paths.flatMap((path) => {
    const text = readFileSync(join(DEPLOY, path), 'utf8')
    return [...text.matchAll(/\b(?:celery|process|nodejs)_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))
  })
  return [...new Set(names)].filter((name) => !NOT_OURS.has(name))
}
