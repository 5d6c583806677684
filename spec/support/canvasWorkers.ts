import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from '@jest/globals'
import { Client } from './client.js'
import { PYTHON } from './peers.js'
import { killAllPrograms, type Program, runProgram } from './program.js'
import { brokerUrl, redisUrl } from './services.js'
import { startWorkerProgram } from './workerProgram.js'

const SCRIPT = fileURLToPath(new URL('../peers/canvas.py', import.meta.url))

/** One of Python's and one of ours, and where each of them takes its tasks from. */
export interface CanvasWorkers {
  readonly queues: { readonly python: string; readonly ours: string }
  readonly programs: readonly Program[]
}

/**
 * One worker of Python's and one of ours with the tasks of `canvas.py`, for one spec file. To be called at its top, before its own hooks.
 * @param more arguments for ours
 * @returns what gives them, once the hooks have run
 */
export function canvasWorkers(...more: readonly string[]): () => CanvasWorkers {
  let client: Client | undefined
  let workers: CanvasWorkers | undefined
  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    workers = await start(client, ...more)
  })
  afterAll(async () => {
    await killAllPrograms()
    await client?.close()
  })
  return () => {
    if (!workers) throw new Error('the workers of this spec have not been started')
    return workers
  }
}

/** Resolves once both consume. */
async function start(client: Client, ...more: readonly string[]): Promise<CanvasWorkers> {
  const queues = { python: await client.queue(), ours: await client.queue() }
  const celery = ['-m', 'celery', '-A', 'canvas', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker']
  const options = ['-Q', queues.python, '-c', '2', '-l', 'INFO', '--without-mingle', '--without-gossip']
  const python = runProgram(PYTHON, [...celery, ...options, '-n', `p${queues.python}@%h`], {
    cwd: dirname(SCRIPT),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', CANVAS_QUEUE: queues.python },
  })
  const ours = startWorkerProgram({
    brokerUrl: brokerUrl(),
    app: 'build/apps/canvas.js',
    args: ['-Q', queues.ours, ...more],
    env: { CELERY_RESULT_BACKEND: redisUrl(), CANVAS_QUEUE: queues.ours },
  })
  await python.waitForOutput(/ ready\.$/m)
  return { queues, programs: [python, await ours] }
}

/** What the client in Python says. @param seconds that it waits for results at most */
export async function sendCanvases(asked: unknown, seconds: number, ...how: readonly string[]): Promise<string> {
  const python = spawn(PYTHON, [SCRIPT, brokerUrl(), redisUrl(), String(seconds), ...how], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  python.stdin.end(JSON.stringify(asked))
  const [output] = await Promise.all([text(python.stdout), once(python, 'exit')])
  return output
}
