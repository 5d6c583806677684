import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe("Python's own client", () => {
  let client: Client
  let queue: string
  let dir: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  it('sends a task, and it runs', async () => {
    const trace = join(dir, 'steps.jsonl')
    await startWorkerProgram({ brokerUrl: brokerUrl(), args: ['-Q', queue], env: { STEPS_TRACE: trace } })
    const python = runProgram(PYTHON, [
      '-c',
      "import sys, celery; celery.Celery(broker=sys.argv[1]).send_task('tasks.add', (1, 2), queue=sys.argv[2])",
      brokerUrl(),
      queue,
    ])
    expect((await python.exited).code).toBe(0)
    await waitFor(() => ended(readSteps(trace)).has(3), { what: 'tasks.add(1, 2) to have run' })
  })
})
