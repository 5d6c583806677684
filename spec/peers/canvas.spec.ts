import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Random } from '../packit/random.js'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'
import { type Dict, FORMS, randomCanvas, spread } from './canvases.js'

const SCRIPT = fileURLToPath(new URL('canvas.py', import.meta.url))
const HERE = dirname(SCRIPT)
/** What doesn't end among workers in Python takes as long. */
const SECONDS = 20
const RANDOM = 60
const NAMES = [...Object.keys(FORMS), ...Array.from({ length: RANDOM }, (_, seed) => `random ${seed}`)]
const CANVASES = [
  ...Object.values(FORMS),
  ...Array.from({ length: RANDOM }, (_, seed) => randomCanvas(new Random(seed))),
]

interface Seen {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}

/** Among workers in Python it neither waits for ever nor comes to a fault of Celery's own: 5.2 can't count a member that has no group index. */
const isCeleryAlright = ({ error }: Seen): boolean => error !== 'TimeoutError' && error !== 'TypeError'

/** Ids are new each time. */
function told({ error, text, value }: Seen): Seen {
  return error ? { error, text: text?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID') ?? '' } : { value }
}

describe("canvases of Python's client", () => {
  let client: Client
  const queues = { python: '', ours: '' }
  let alone: Seen[]

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queues.python = await client.queue()
    queues.ours = await client.queue()
    const python = runProgram(
      PYTHON,
      ['-m', 'celery', '-A', 'canvas', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker'].concat([
        '-Q',
        queues.python,
        '-c',
        '2',
        '-l',
        'INFO',
        '--without-mingle',
        '--without-gossip',
        '-n',
        `p${queues.python}@%h`,
      ]),
      { cwd: HERE, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } },
    )
    const ours = startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/canvas.js',
      args: ['-Q', queues.ours],
      env: { CELERY_RESULT_BACKEND: redisUrl() },
    })
    await Promise.all([python.waitForOutput(/ ready\.$/m), ours])
    alone = await run(() => queues.python)
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
  })

  async function run(queueOf: () => string): Promise<Seen[]> {
    const sent: Dict[] = CANVASES.map((canvas) => spread(canvas, queueOf))
    const python = spawn(PYTHON, [SCRIPT, brokerUrl(), redisUrl(), String(SECONDS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    python.stdin.end(JSON.stringify(sent))
    const [output] = await Promise.all([text(python.stdout), once(python, 'exit')])
    const lines = output.trim().split('\n')
    expect(lines).toHaveLength(sent.length)
    return lines.map((line) => told(JSON.parse(line)))
  }

  function expectSame(seen: readonly Seen[]): void {
    const ended = alone.map(isCeleryAlright)
    const named = (list: readonly Seen[]): unknown[] => list.flatMap((one, at) => (ended[at] ? [[NAMES[at], one]] : []))
    expect(named(seen)).toEqual(named(alone))
  }

  it('come to their end among workers in Python, but for a few', () => {
    expect(alone.filter(isCeleryAlright).length).toBeGreaterThan((NAMES.length * 4) / 5)
  })

  it('come to the same end among ours', async () => {
    const seen = await run(() => queues.ours)
    expectSame(seen)
    // Also those that don't end among workers in Python.
    expect(seen.filter(({ error }) => error === 'TimeoutError')).toEqual([])
  })

  it.each([1, 2])('come to the same end among both, spread at random: %i', async (seed) => {
    const random = new Random(`spread ${seed}`)
    expectSame(await run(() => (random.chance(0.5) ? queues.ours : queues.python)))
  })
})
