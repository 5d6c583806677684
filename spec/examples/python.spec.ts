import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT, startWorkerProgram } from '../support/workerProgram.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))

// The queue is the one that is there by default.
const brokerUrl = ownBroker()

describe('the examples that Python has a part in', () => {
  const env = () => ({ CELERY_BROKER_URL: brokerUrl(), CELERY_RESULT_BACKEND: redisUrl() })
  const worker = (example: string): Promise<Program> =>
    startWorkerProgram({ brokerUrl: brokerUrl(), app: `build/examples/${example}/app.js`, args: [], env: env() })
  const python = (file: string, more: Record<string, string> = {}): Program =>
    runProgram(PYTHON, [`${HERE}/${file}`], { env: { ...process.env, ...env(), ...more } })

  afterEach(killAllPrograms)

  it('quick start: a sum comes back to Python', async () => {
    await worker('quick-start')
    const producer = python('quick-start/add.py')
    expect(await producer.exited).toEqual({ code: 0, signal: null })
    expect(producer.stdout).toBe('3\n')
  })

  it('a web service: a report is asked for, built and fetched', async () => {
    const web = python('python-web/web.py', { PORT: '0' })
    const [url] = await web.waitForOutput(/^http:\S+$/m)
    const posted = await fetch(`${url}/reports/acme`, { method: 'POST' })
    expect(posted.status).toBe(202)
    const { id } = (await posted.json()) as { id: string }
    const look = async () => (await (await fetch(`${url}/reports/${id}`)).json()) as { state: string }
    expect(await look()).toEqual({ state: 'PENDING', report: null })
    await worker('python-web')
    await waitFor(async () => (await look()).state === 'SUCCESS', { what: 'the report' })
    expect(await look()).toEqual({ state: 'SUCCESS', report: { customer: 'acme', months: 12, pages: 24 } })
  })

  const celery = async (): Promise<void> => {
    const args = ['-m', 'celery', '-A', 'tasks', 'worker', '-l', 'INFO', '-P', 'solo', '-n', 'examples@%h']
    const cwd = `${HERE}/workflow`
    const program = runProgram(PYTHON, args, { cwd, env: { ...process.env, ...env(), PYTHONDONTWRITEBYTECODE: '1' } })
    await program.waitForOutput(/ ready\.$/m)
  }

  it.each([
    ["Python's worker", [celery]],
    ['Celeriac', [() => worker('workflow')]],
    ['both', [celery, () => worker('workflow')]],
  ])('a workflow: sent from TypeScript, run by %s', async (_, workers) => {
    await Promise.all(workers.map((start) => start()))
    const sender = runProgram(process.execPath, ['build/examples/workflow/send.js'], {
      cwd: ROOT,
      env: { ...process.env, ...env() },
    })
    const { code } = await sender.exited
    expect({ code, stderr: sender.stderr, stdout: sender.stdout }).toEqual({
      code: 0,
      stderr: '',
      stdout: 'All texts: 6 words\n',
    })
  })
})
