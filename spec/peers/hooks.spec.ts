import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

interface Told {
  readonly hook: string
  readonly where: 'worker' | 'child'
  readonly id: string | null
  readonly facts: Record<string, unknown>
}

interface Story {
  readonly task: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Record<string, unknown>
  readonly headers?: Record<string, unknown>
  /** Hooks that Python tells of it. */
  readonly hooks: number
  /** Only where tasks run in children. */
  readonly inChildren?: true
}

const STORIES: Readonly<Record<string, Story>> = {
  'a success': { task: 'hooked.ok', args: [2], kwargs: { y: 3 }, hooks: 4 },
  'a failure': { task: 'hooked.fail', args: ['no'], hooks: 4 },
  'a wrong call': { task: 'hooked.ok', args: [1, 2, 3], hooks: 4 },
  'a retry': { task: 'hooked.again', args: ['busy'], hooks: 8 },
  'one retry too many': { task: 'hooked.never', hooks: 4 },
  'an ignored task': { task: 'hooked.ignore', hooks: 3 },
  'a task that rejects its message': { task: 'hooked.drop', hooks: 3 },
  'a task that comes too late': {
    task: 'hooked.ok',
    args: [1],
    headers: { expires: '2020-01-01T00:00:00+00:00' },
    hooks: 1,
  },
  'an unknown task': { task: 'hooked.nobody', hooks: 1 },
  'a hard time limit': { task: 'hooked.slow', hooks: 3, inChildren: true },
  'a lost child': { task: 'hooked.lost', hooks: 3, inChildren: true },
}

/** A message that kombu can read, and that is no task. */
const BAD = {
  properties: { contentType: 'application/json', contentEncoding: 'utf-8' },
  content: Buffer.from('{"a": 1}'),
}
/** Middleware and resources, which Python doesn't have. */
const OURS_ALONE = /^(?:middleware|resource .*)$/

/** A child of Python's that is killed by SIGTERM may still tell that a run has ended, and not how. Ours is gone at once. */
const isLastGasp = ({ facts, hook }: Told): boolean => hook === 'taskPostrun' && facts.state === null

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** A worker, and what its hooks were told. */
class Signalling {
  readonly ids = new Map<string, string>()
  private constructor(
    readonly program: Program,
    private readonly file: string,
    private readonly queue: string,
    private readonly client: Client,
  ) {}

  static async start(
    client: Client,
    dir: string,
    run: (queue: string, env: Record<string, string>) => Promise<Program>,
  ) {
    const queue = await client.queue()
    const file = join(dir, randomUUID())
    return new Signalling(await run(queue, { SIGNALS_FILE: file }), file, queue, client)
  }

  get all(): readonly Told[] {
    if (!existsSync(this.file)) return []
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Told)
  }

  /** What was told in one place, without what Python doesn't have. */
  in(where: Told['where'], id: string | null): unknown[] {
    return this.all
      .filter((told) => told.id === id && told.where === where && !OURS_ALONE.test(told.hook) && !isLastGasp(told))
      .map(({ facts, hook }) => [hook, facts])
  }

  async tell(story: string): Promise<string> {
    const { args, headers, hooks, kwargs = {}, task } = STORIES[story] as Story
    const id = randomUUID()
    this.ids.set(story, id)
    await this.client.publish(this.queue, [
      taskMessage(task, { id, kwargs, ...(args ? { args } : {}), ...(headers ? { headers } : {}) }),
    ])
    await waitFor(() => this.in('worker', id).length + this.in('child', id).length >= hooks, {
      what: `${hooks} hooks of ${task}: ${JSON.stringify(this.all.filter((told) => told.id === id))}`,
    })
    return id
  }

  async refuse(): Promise<void> {
    await this.client.publish(this.queue, [BAD])
    await waitFor(() => this.all.some(({ hook }) => hook === 'taskRejected'), { what: 'taskRejected' })
  }

  /** Everything that belongs to no task. */
  async end(): Promise<void> {
    this.program.kill('SIGTERM')
    expect((await this.program.exited).code).toBe(0)
  }
}

function python(pool: string) {
  return async (queue: string, env: Record<string, string>): Promise<Program> => {
    const args = ['-m', 'celery', '-A', 'signals', '-b', brokerUrl(), 'worker', '-P', pool, '-c', '1', '-Q', queue]
    const node = ['-l', 'INFO', '-n', `p${randomUUID().slice(0, 8)}@spec`, '--without-gossip', '--without-mingle']
    const program = runProgram(PYTHON, [...args, ...node], { cwd: HERE, env: { ...process.env, ...env } })
    await program.waitForOutput(/ ready\.$/m)
    return program
  }
}

function ours(pool: string) {
  return (queue: string, env: Record<string, string>): Promise<Program> =>
    startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/hooked.js',
      args: ['-Q', queue, '-P', pool, '-c', '1'],
      env,
    })
}

describe.each([
  ['async', 'solo'],
  ['prefork', 'prefork'],
  ['threads', 'prefork'],
])('the hooks of -P %s', (pool, pythons) => {
  let dir: string
  let client: Client
  let own: Signalling
  let celery: Signalling
  const hasChildren = pool !== 'async'

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'celeriac-hooks-'))
    client = await Client.open(brokerUrl())
    own = await Signalling.start(client, dir, ours(pool))
    celery = await Signalling.start(client, dir, python(pythons))
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
    rmSync(dir, { recursive: true })
  })

  afterEach(() => expect(own.program.output).not.toMatch(/Hook .* raised/))

  it.each(Object.keys(STORIES).filter((name) => hasChildren || !STORIES[name]?.inChildren))(
    "are told of %s in the order, and with the arguments, of Python's signals",
    async (story) => {
      const [ownId, celeryId] = await Promise.all([own.tell(story), celery.tell(story)])
      for (const where of ['worker', 'child'] as const) {
        expect({ where, told: own.in(where, ownId) }).toEqual({ where, told: celery.in(where, celeryId) })
      }
    },
  )

  it("are told of a message that is no task, as Python's are", async () => {
    await Promise.all([own.refuse(), celery.refuse()])
    const refused = ({ hook }: Told): boolean => hook === 'taskRejected'
    expect(own.all.filter(refused)).toEqual(celery.all.filter(refused))
  })

  it('are called around the middleware, which is where the handler is, and tasks have their resources', async () => {
    const id = own.ids.get('a success')
    const middleware = own.all.filter((told) => told.id === id && told.where === (hasChildren ? 'child' : 'worker'))
    expect(middleware.map(({ hook }) => hook).filter((hook) => hook !== 'taskReceived')).toEqual([
      'taskPrerun',
      'middleware',
      'taskSuccess',
      'taskPostrun',
    ])
  })

  it("are told of a warm stop as Python's are, and resources are closed after the last task", async () => {
    // By a task that ends: else the child that replaces the lost one may not have loaded when it is told to go.
    await Promise.all([own.tell('a success'), celery.tell('a success')])
    await Promise.all([own.end(), celery.end()])
    for (const where of ['worker', 'child'] as const) {
      const life = (told: Signalling): unknown[] =>
        told.in(where, null).filter((each) => (each as string[])[0] !== 'taskRejected')
      const starts = own.all.filter((told) => told.where === where && told.hook === 'workerProcessInit').length
      // Children that were lost or killed are replaced; how many there were is told by the log.
      if (where === 'worker') expect(life(own)).toEqual(life(celery))
      else expect(starts).toBe(hasChildren ? 3 : 0)
    }
    const ends = own.all.slice(-2).map(({ hook }) => hook)
    expect(ends).toEqual(['resource stop', 'workerShutdown'])
    const begin = own.all.slice(0, 3).map(({ hook }) => hook)
    expect(begin).toEqual(['workerInit', 'resource start', 'workerProcessInit'])
  })
})
