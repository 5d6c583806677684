import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const brokerUrl = ownBroker()

describe("three workers of ours and one of Python's", () => {
  let client: Client
  let queue: string
  let dir: string
  const workers = new Map<string, Program>()

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    const python = runProgram(
      PYTHON,
      ['-m', 'celery', '-b', brokerUrl(), 'worker', '-Q', queue, '-n', 'py@fleet', '-l', 'INFO', '-c', '1'],
      { cwd: dir },
    )
    workers.set('py@fleet', python)
    await python.waitForOutput(/py@fleet ready\./)
    for (const name of ['a@fleet', 'b@fleet', 'c@fleet']) await start(name)
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  async function start(name: string): Promise<void> {
    workers.set(name, await startWorkerProgram({ brokerUrl: brokerUrl(), args: ['-Q', queue, '-n', name] }))
  }

  async function celery(...args: string[]): Promise<string> {
    const program = runProgram(PYTHON, ['-m', 'celery', '-b', brokerUrl(), ...args], { cwd: dir })
    expect(await program.exited).toEqual({ code: 0, signal: null })
    return program.stdout
  }

  it('have mingled', () => {
    expect(workers.get('a@fleet')?.output).toContain('mingle: sync with 1 nodes')
    expect(workers.get('c@fleet')?.output).toContain('mingle: sync with 3 nodes')
  })

  it('all notice when one is killed', async () => {
    const lost = workers.get('c@fleet')
    // Whoever shall miss its heartbeats has to have heard one.
    await waitFor(async () => (await celery('status')).includes('4 nodes online'), {
      what: 'four nodes',
    })
    lost?.kill('SIGKILL')
    await lost?.exited
    for (const name of ['a@fleet', 'b@fleet', 'py@fleet']) {
      await workers.get(name)?.waitForOutput(/missed heartbeat from c@fleet/)
    }
  })

  it('all know what is revoked, and so does one that starts later', async () => {
    await celery('control', 'revoke', 'lost-task')
    await start('d@fleet')
    const revoked = JSON.parse(await celery('inspect', 'revoked', '--json')) as Record<string, string[]>
    expect(revoked).toEqual({
      'a@fleet': ['lost-task'],
      'b@fleet': ['lost-task'],
      'd@fleet': ['lost-task'],
      'py@fleet': ['lost-task'],
    })
  })
})
