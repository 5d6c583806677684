import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, chain, group } from '../../lib/index.js'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { isCelery } from '../support/versions.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const HERE = dirname(fileURLToPath(new URL('canvas.py', import.meta.url)))
const WAIT = { timeout: 60 }
const PAIRS: Array<[number, number]> = [
  [1, 2],
  [3, 4],
  [5, 6],
]

/** What Python's client has to say, as JSON. */
async function python<Said>(script: string, ...args: readonly string[]): Promise<Said> {
  const all = `import json, sys
from kombu.utils.json import dumps
from celery import chain, group, signature
from canvas import app, join
app.conf.update(broker_url=sys.argv[1], result_backend=sys.argv[2])
app.set_default()
argv = sys.argv[3:]
${script}`
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
  const program = runProgram(PYTHON, ['-c', all, brokerUrl(), redisUrl(), ...args], { cwd: HERE, env })
  const { code } = await program.exited
  if (code !== 0) throw new Error(program.output)
  return JSON.parse(program.stdout) as Said
}

describe("signatures and results, beside Python's", () => {
  let client: Client
  let app: Celery
  const queues = { python: '', ours: '' }
  const define = (app: Celery) => ({
    join: app.declare<(...args: unknown[]) => unknown[]>('canvas.join'),
    stamps: app.declare<() => Record<string, unknown>>('canvas.stamps'),
    sends: app.declare<(queue: string) => unknown[]>('canvas.sends'),
  })
  let tasks: ReturnType<typeof define>

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queues.python = await client.queue()
    queues.ours = await client.queue()
    const args = ['-m', 'celery', '-A', 'canvas', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker']
    const worker = runProgram(
      PYTHON,
      [...args, '-Q', queues.python, '-c', '2', '-l', 'INFO', '--without-mingle', '-n', `s${queues.python}@%h`],
      { cwd: HERE, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } },
    )
    const ours = startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/canvas.js',
      args: ['-Q', queues.ours],
      env: { CELERY_RESULT_BACKEND: redisUrl() },
    })
    await Promise.all([worker.waitForOutput(/ ready\.$/m), ours])
    app = new Celery('forms', { broker_url: brokerUrl(), result_backend: redisUrl() })
    tasks = define(app)
  })

  afterAll(async () => {
    await app.close()
    await killAllPrograms()
    await client.close()
  })

  const forms = () => {
    const { join } = tasks
    const chunks = join.chunks(PAIRS, 2)
    return [join.map([1, 2]), join.starmap(PAIRS), chunks, chunks.group(), group(join.s(1), join.si(2))]
  }

  it('have the same form as JSON', async () => {
    const written = await python<unknown[]>(
      `pairs = [(1, 2), (3, 4), (5, 6)]
print(dumps([join.map([1, 2]), join.starmap(pairs), join.chunks(pairs, 2), join.chunks(pairs, 2).group(), group(join.s(1), join.si(2))]))`,
    )
    expect(JSON.parse(JSON.stringify(forms()))).toEqual(written)
  })

  it.each(['python', 'ours'] as const)('are sent by Python as by us, and run by %s', async (who) => {
    const queue = queues[who]
    const [map, starmap, chunks, ...groups] = forms()
    const values = [
      [[1], [2]],
      PAIRS,
      [PAIRS.slice(0, 2), PAIRS.slice(2)],
      [PAIRS.slice(0, 2), PAIRS.slice(2)],
      [[1], [2]],
    ]
    const said = await python<unknown[]>(
      `print(json.dumps([signature(sig, app=app).apply_async(queue=argv[0]).get(timeout=60) for sig in json.loads(argv[1])]))`,
      queue,
      JSON.stringify([map, starmap, ...groups]),
    )
    expect(said).toEqual(values.filter((_, at) => at !== 2))
    for (const [at, sig] of [map, starmap, chunks, ...groups].entries()) {
      expect(await (await sig?.applyAsync([], {}, { queue }))?.get(WAIT)).toEqual(values[at])
    }
    // Python's client reads it as a task of its own, which sends the group.
    const tuple = await python<[[string, null], unknown[]]>(
      `print(json.dumps(signature(json.loads(argv[1]), app=app).apply_async(queue=argv[0]).get(timeout=60)))`,
      queue,
      JSON.stringify(chunks),
    )
    expect(tuple).toEqual([
      [expect.any(String), null],
      [expect.anything(), expect.anything()],
    ])
  })

  it('are read from Python, and sent', async () => {
    const dicts = await python<Record<string, unknown>[]>(
      `print(dumps([join.map([1, 2]), join.starmap([(1, 2)]), group(join.s(1), join.s(2))]))`,
    )
    const options = { queue: queues.python }
    const sent = await Promise.all(dicts.map((dict) => app.signature(dict).applyAsync([], {}, options)))
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([[[1], [2]], [[1, 2]], [[1], [2]]])
  })

  it('carry their stamps to workers of both', async () => {
    const at = (queue: string) => tasks.stamps.si().set({ queue })
    const result = await chain(at(queues.ours), at(queues.python), at(queues.ours)).stamp({ site: 'brno' }).delay()
    // A worker of 5.2 knows of no stamps, and sends none on.
    expect(await result.get(WAIT)).toEqual(isCelery(5, 3) ? { site: 'brno' } : {})
    expect(await result.parent?.get(WAIT)).toEqual({ site: 'brno' })
    expect(await result.parent?.parent?.get(WAIT)).toEqual({ site: 'brno' })
  })

  it('tell Python which children a task has started', async () => {
    const { id } = await tasks.sends.applyAsync([queues.ours], {}, { queue: queues.ours })
    const [started, children] = await python<[unknown[], unknown[]]>(
      `result = app.AsyncResult(argv[0])
started = result.get(timeout=60)
print(json.dumps([started, [child.as_tuple() for child in result.children]]))`,
      id,
    )
    expect(started).toEqual([
      [
        [expect.any(String), null],
        [expect.anything(), expect.anything()],
      ],
      [[expect.any(String), null], null],
    ])
    expect(children).toEqual(started)
  })
})
