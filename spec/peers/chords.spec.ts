import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/celery.js'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { type Redis, startRedis } from '../support/redis.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const HERE = dirname(fileURLToPath(new URL('chords.py', import.meta.url)))

async function python(...args: readonly string[]): Promise<string> {
  const program = runProgram(PYTHON, ['chords.py', ...args], { cwd: HERE, env })
  const { code } = await program.exited
  if (code !== 0) throw new Error(program.output)
  return program.stdout
}

let env: NodeJS.ProcessEnv = {}
function setOrder(ordered: boolean): void {
  env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', CHORDS_ORDERED: ordered ? '1' : '0' }
}

async function startPython(queue: string): Promise<Program> {
  const program = runProgram(
    PYTHON,
    ['-m', 'celery', '-A', 'chords', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker', '-Q', queue].concat([
      '-c',
      '2',
      '-l',
      'INFO',
      '--without-mingle',
      '--without-gossip',
      '-n',
      `${queue}@%h`,
    ]),
    { cwd: HERE, env },
  )
  await program.waitForOutput(/ ready\.$/m)
  return program
}

function startOurs(queue: string, backend = redisUrl(), ...more: readonly string[]): Promise<Program> {
  return startWorkerProgram({
    brokerUrl: brokerUrl(),
    app: 'build/apps/chords.js',
    args: ['-Q', queue, '-c', '8', ...more],
    env: {
      CELERY_RESULT_BACKEND: backend,
      CHORDS_ORDERED: env.CHORDS_ORDERED ?? '1',
      CHORDS_RUNS: env.CHORDS_RUNS ?? '',
    },
  })
}

function sort(value: unknown): void {
  if (!Array.isArray(value)) return
  for (const item of value) sort(item)
  value.sort()
}

/** Ids are new each time. */
function told(line: string): unknown {
  return JSON.parse(line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))
}

describe("chords of Python's client", () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.open(brokerUrl())
  })
  afterEach(() => killAllPrograms())
  afterAll(() => client.close())

  it.each([true, false])(
    'are counted by workers in Python and ours in any mixture; in the order of the header: %s',
    async (ordered) => {
      setOrder(ordered)
      const [theirs, ours] = [await client.queue(), await client.queue()]
      await Promise.all([startPython(theirs), startOurs(ours, redisUrl(), '-n', `${ours}@%h`)])
      const mixtures = [theirs, ours, `${ours},${theirs}`, `${theirs},${ours}`]
      const output = await python('forms', brokerUrl(), redisUrl(), ...mixtures)
      const [alone, ...others] = output
        .trim()
        .split('\n')
        .map((line) => {
          const seen = told(line) as [string, { value?: unknown }][]
          if (!ordered) for (const [, { value }] of seen) sort(value)
          return Object.fromEntries(seen)
        })
      expect(alone).toMatchObject({
        plain: { value: ordered ? [3, 1, 2] : [1, 2, 3] },
        ignored: { value: ordered ? [3, 1, 2] : [1, 2, 3] },
        failing: { error: 'ChordError', text: "Dependency ID raised ValueError('boom')" },
        revoked: { error: 'ChordError', text: "Dependency ID raised TaskRevokedError('revoked')" },
        telling: { value: 'told' },
      })
      expect(others).toEqual([alone, alone, alone])
    },
  )
})

describe('chords through a disaster', () => {
  const { CELERIAC_SPEC_CHORDS: whole } = process.env
  const CHORDS = Number(whole ?? 10)
  const MEMBERS = whole ? 100 : 40
  const OUTAGE_MS = whole ? 5000 : 0
  let client: Client
  let app: Celery | null = null
  let redis: Redis | null = null
  let dir: string

  beforeAll(async () => {
    setOrder(true)
    client = await Client.open(brokerUrl())
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    env.CHORDS_RUNS = join(dir, 'runs')
  })
  afterEach(async () => {
    await app?.close()
    app = null
    await killAllPrograms()
    await redis?.dispose()
    redis = null
    await rm(dir, { recursive: true })
  })
  afterAll(() => client.close())

  const send = async (queue: string, task: string, backend = redisUrl()): Promise<string[]> =>
    JSON.parse(await python('many', brokerUrl(), backend, queue, String(CHORDS), String(MEMBERS), task))

  /** That each body came to its end, with the results of all members, in one run. */
  const expectAll = async (ids: readonly string[], backend = redisUrl()): Promise<void> => {
    app = new Celery('client', { broker_url: brokerUrl(), result_backend: backend })
    const results = ids.map((id) => app?.asyncResult(id).get({ timeout: 120 }))
    expect(await Promise.all(results)).toEqual(
      ids.map((_, first) => Array.from({ length: MEMBERS }, (_, at) => at + first)),
    )
    const runs = (await readFile(join(dir, 'runs'), 'utf8')).trim().split('\n')
    expect(runs.sort()).toEqual([...ids].sort())
  }

  /** Of each member it is said that it is received, and what became of it. */
  const areHalfThrough = (workers: readonly Program[], task: string): Promise<unknown> =>
    waitFor(
      () => workers.reduce((lines, { output }) => lines + output.split(`${task}[`).length - 1, 0) >= CHORDS * MEMBERS,
      { what: 'half of the members', everyMs: 50 },
    )

  it.each(['chords.member', 'chords.stamped'])(
    'complete, each once, when a worker is killed in the middle: %s',
    async (task) => {
      const queue = await client.queue()
      const ids = await send(queue, task)
      const [doomed, other] = await Promise.all([startOurs(queue), startOurs(queue)])
      await areHalfThrough([doomed, other], task)
      doomed.kill('SIGKILL')
      await expectAll(ids)
      expect(other.output).not.toContain('raised')
    },
  )

  it('complete, each once, when redis is gone for a while', async () => {
    const store = await startRedis({ durable: true })
    redis = store
    const queue = await client.queue()
    const ids = await send(queue, 'chords.stamped', store.url)
    const workers = await Promise.all([startOurs(queue, store.url), startOurs(queue, store.url)])
    await areHalfThrough(workers, 'chords.stamped')
    // Or a busy machine is through with all of it by the time that redis has gone.
    for (const worker of workers) worker.kill('SIGSTOP')
    await store.kill()
    for (const worker of workers) worker.kill('SIGCONT')
    await waitFor(() => workers.every(({ output }) => output.includes('results are kept until it answers')), {
      what: 'the loss to be noticed',
    })
    await pause(OUTAGE_MS)
    await store.start()
    await expectAll(ids, store.url)
  })
})
