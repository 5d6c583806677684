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

/** One of Python's and some of ours, and where each of them takes its tasks from. */
export interface CanvasWorkers<Name extends string = 'ours'> {
  readonly queues: Readonly<Record<Name | 'python', string>>
  readonly programs: readonly Program[]
}

/** Further arguments of each of ours, by its name. */
type Arguments<Name extends string> = Readonly<Record<Name, readonly string[]>>

/**
 * One worker of Python's and some of ours with the tasks of `canvas.py`, for one spec file. To be called at its top, before its own hooks.
 * @returns what gives them, once the hooks have run
 */
export function canvasWorkers<Name extends string>(ours: Arguments<Name>): () => CanvasWorkers<Name> {
  let client: Client | undefined
  let workers: CanvasWorkers<Name> | undefined
  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    workers = await start(client, ours)
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

/** Resolves once all consume. */
async function start<Name extends string>(client: Client, ours: Arguments<Name>): Promise<CanvasWorkers<Name>> {
  const names = Object.keys(ours) as Name[]
  const own = await Promise.all(names.map(async (name) => [name, await client.queue()] as const))
  const python = await client.queue()
  const programs = await Promise.all([
    startPython(python),
    ...own.map(([name, queue]) =>
      startWorkerProgram({
        brokerUrl: brokerUrl(),
        app: 'build/apps/canvas.js',
        resultBackend: redisUrl(),
        args: ['-Q', queue, '-n', `${queue}@%h`, ...ours[name]],
        env: { CANVAS_QUEUE: queue, CELERY_RESULT_CHORD_JOIN_TIMEOUT: '120' },
      }),
    ),
  ])
  return { queues: Object.fromEntries([['python', python], ...own]) as CanvasWorkers<Name>['queues'], programs }
}

async function startPython(queue: string): Promise<Program> {
  const celery = ['-m', 'celery', '-A', 'canvas', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker']
  const options = ['-Q', queue, '-c', '4', '-l', 'INFO', '--without-mingle', '--without-gossip']
  const program = runProgram(PYTHON, [...celery, ...options, '-n', `${queue}@%h`], {
    cwd: dirname(SCRIPT),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', CANVAS_QUEUE: queue },
  })
  await program.waitForOutput(/ ready\.$/m)
  return program
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
