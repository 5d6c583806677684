import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'
import { chain, chord, type Dict, group, task } from './canvases.js'

const SCRIPT = fileURLToPath(new URL('canvas.py', import.meta.url))
const WHO = ['python', 'ours'] as const
type Who = (typeof WHO)[number]

describe('a chord that a member adds to', () => {
  let client: Client
  const queues = { python: '', ours: '' }

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queues.python = await client.queue()
    queues.ours = await client.queue()
    const args = ['-m', 'celery', '-A', 'canvas', '-b', brokerUrl(), '--result-backend', redisUrl(), 'worker']
    const python = runProgram(
      PYTHON,
      [...args, '-Q', queues.python, '-c', '2', '-l', 'INFO', '--without-mingle', '-n', `a${queues.python}@%h`],
      { cwd: dirname(SCRIPT), env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', CANVAS_QUEUE: queues.ours } },
    )
    // In children: each has a backend of its own.
    const ours = startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/canvas.js',
      args: ['-Q', queues.ours, '-P', 'prefork', '-c', '2'],
      // Where the task goes that hands on the results of a group: the worker whose member ends last sends it.
      env: { CELERY_RESULT_BACKEND: redisUrl(), CANVAS_QUEUE: queues.ours },
    })
    await Promise.all([python.waitForOutput(/ ready\.$/m), ours])
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
  })

  const at = (who: Who, sig: Dict): Dict => ({ ...sig, options: { queue: queues[who] } })
  const adding = (who: Who, added: Dict): Dict => ({ ...at(who, task('')), task: 'canvas.more', args: [added] })

  /** What the body got, in any order. */
  async function run(...canvases: readonly Dict[]): Promise<unknown[]> {
    const python = spawn(PYTHON, [SCRIPT, brokerUrl(), redisUrl(), '40'], { stdio: ['pipe', 'pipe', 'inherit'] })
    python.stdin.end(JSON.stringify(canvases))
    const [output] = await Promise.all([text(python.stdout), once(python, 'exit')])
    return output
      .trim()
      .split('\n')
      .map((line) => {
        const { error, value } = JSON.parse(line) as { error?: string; value?: [unknown[]] }
        return error ?? value?.[0]?.map((one) => JSON.stringify(one)).sort()
      })
  }

  it.each(WHO.flatMap((adds) => WHO.flatMap((runs) => WHO.map((ends) => [adds, runs, ends] as const))))(
    'by %s, run by %s, whose body runs by %s, waits for it',
    async (adds, runs, ends) => {
      const both = chain(at(runs, task('a')), at(ends, task('b')))
      const body = at(ends, { ...task(''), args: [] })
      const ended = await run(
        chord([adding(adds, at(runs, task('one'))), at(runs, task('two'))], body),
        chord([adding(adds, both)], body),
      )
      expect(ended).toEqual([
        ['"own"', '["one"]', '["two"]'],
        ['"own"', '[["a"],"b"]'],
      ])
    },
  )

  it('by a group, from ours, gets its results as one', async () => {
    const added = group(at('python', task('a')), at('ours', task('b')))
    const accumulated = await run(chord([adding('ours', added)], at('ours', { ...task(''), args: [] })))
    expect(accumulated).toEqual([['"own"', '[["a"],["b"]]']])
  })
})
