import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readJson } from '../../lib/protocol/content/json.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { isCelery } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const brokerUrl = ownBroker()

const SCRIPT = fileURLToPath(new URL('control.py', import.meta.url))
const NODES = ['js@peers', 'py@peers'] as const
const REVOKED = '00000000-0000-4000-8000-00000000dead'

type Json = Record<string, unknown>
/** A reply of each node. */
type Replies = Readonly<Record<(typeof NODES)[number], unknown>>

/** Where in a reply two nodes differ on purpose: by path. */
interface Differences {
  /** Only in ours, or of another type there. */
  readonly ours?: readonly string[]
  /** Only in Python's, or of another type there. */
  readonly python?: readonly string[]
}

/** The paths of a reply with the type that is found there. Lists are as one: what their items have in common is what counts. */
function shape(value: unknown, path = '$'): string[] {
  if (Array.isArray(value)) return [`${path}: list`, ...value.flatMap((item) => shape(item, `${path}[]`))]
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`]
  return [`${path}: object`, ...Object.entries(value).flatMap(([key, item]) => shape(item, `${path}.${key}`))]
}

function differences({ 'js@peers': ours, 'py@peers': python }: Replies): Required<Differences> {
  const [mine, theirs] = [new Set(shape(ours)), new Set(shape(python))]
  return {
    ours: [...mine].filter((each) => !theirs.has(each)).sort(),
    python: [...theirs].filter((each) => !mine.has(each)).sort(),
  }
}

describe("remote control, by Debian's command line, of our worker beside Python's", () => {
  let client: Client
  let home: string
  let workers: Readonly<Record<(typeof NODES)[number], Program>>
  const queues = { 'js@peers': '', 'py@peers': '' }

  async function start(node: (typeof NODES)[number], extra: readonly string[] = []): Promise<Program> {
    const args = ['-Q', queues[node], '-n', node, '--prefetch-multiplier', '4', ...extra]
    if (node === 'js@peers') {
      // So that the ETA stays with it, however long this spec takes.
      const env = { TMPDIR: home, CELERY_WORKER_ETA_MEMORY_LIMIT: '86400' }
      return startWorkerProgram({ brokerUrl: brokerUrl(), app: 'build/apps/peers.js', args, env })
    }
    const program = runProgram(
      PYTHON,
      ['-m', 'celery', '-A', 'control', '-b', brokerUrl(), 'worker', '-l', 'INFO', ...args],
      { cwd: home, env: { ...process.env, PYTHONPATH: dirname(SCRIPT), PYTHONDONTWRITEBYTECODE: '1' } },
    )
    await program.waitForOutput(/ ready\.$/m)
    return program
  }

  /** `celery inspect` or `control`, as an operator has it; with the node names the replies are not waited for any longer than needed. */
  async function celery(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const program = runProgram(
      PYTHON,
      ['-m', 'celery', '-b', brokerUrl(), ...args, '-d', NODES.join(','), '-t', '5', '--json'],
      { cwd: home },
    )
    const { code } = await program.exited
    return { code, stdout: program.stdout, stderr: program.stderr }
  }

  function merged(output: string): Replies {
    // Python writes Infinity, which is no JSON.
    const replies: unknown = readJson(output)
    // `inspect` gives one object, `control` a list with one for each node.
    const all = Array.isArray(replies) ? (Object.assign({}, ...replies) as Json) : (replies as Json)
    expect(Object.keys(all).sort()).toEqual([...NODES])
    return all as unknown as Replies
  }

  async function ask(...args: string[]): Promise<Replies> {
    const { stdout, stderr } = await celery(...args)
    expect(stderr).toBe('')
    return merged(stdout)
  }

  /** Commands that Debian's command line doesn't offer, by the generic call of Python's client. */
  async function call(destination: readonly string[], command: string, args: Json = {}): Promise<Json> {
    const program = runProgram(PYTHON, [SCRIPT, brokerUrl(), destination.join(','), command, JSON.stringify(args)], {
      cwd: home,
    })
    expect((await program.exited).code).toBe(0)
    return JSON.parse(program.stdout) as Json
  }

  async function publish(
    task: string,
    id: string,
    headers: Json = {},
    args: readonly unknown[] = [600_000],
  ): Promise<void> {
    for (const node of NODES) await client.publish(queues[node], [taskMessage(task, { id, args, headers })])
  }

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    home = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    for (const node of NODES) queues[node] = await client.queue()
    const [ours, python] = await Promise.all([start('js@peers', ['-c', '2']), start('py@peers', ['-c', '2'])])
    workers = { 'js@peers': ours, 'py@peers': python }
    await ask('control', 'revoke', REVOKED)
    const eta = new Date(Date.now() + 43_200_000).toISOString().replace('Z', '624+00:00')
    await publish('peers.echo', 'eta', { eta })
    await publish('peers.echo', 'done', {}, ['x'])
    for (const id of ['first', 'second', 'waits']) await publish('peers.sleep', id)
    const counts = async (): Promise<boolean> => {
      const [active, reserved, scheduled] = [
        await ask('inspect', 'active'),
        await ask('inspect', 'reserved'),
        await ask('inspect', 'scheduled'),
      ]
      const lengths = (replies: Replies): number[] => NODES.map((node) => (replies[node] as unknown[]).length)
      return [lengths(active), lengths(reserved), lengths(scheduled)].flat().join() === '2,2,1,1,1,1'
    }
    await waitFor(counts, {
      what: 'two tasks to run, one to wait and one to have its time, on both',
    })
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
    await rm(home, { recursive: true })
  })

  function running(ids: string): Promise<void> {
    const seen = async (): Promise<boolean> => {
      const active = (await ask('inspect', 'active')) as Record<string, Array<{ id: string }>>
      return NODES.every(
        (node) =>
          active[node]
            ?.map(({ id }) => id)
            .sort()
            .join() === ids,
      )
    }
    return waitFor(seen, { what: `${ids} to run on both` })
  }

  describe('inspect', () => {
    const inspected: ReadonlyArray<readonly [command: string, args: readonly string[], differences: Differences]> = [
      ['active', [], {}],
      ['reserved', [], {}],
      ['scheduled', [], {}],
      ['query_task', ['first', 'waits'], {}],
      ['active_queues', [], {}],
      ['clock', [], {}],
      [
        'conf',
        [],
        {
          // Flags are settings here, while Python keeps them elsewhere; and our app sets one, to its default.
          ours: [
            '$.broker_url: string',
            '$.result_extended: boolean',
            '$.worker_concurrency: number',
            '$.worker_eta_memory_limit: number',
            '$.worker_prefetch_multiplier: number',
          ],
          python: isCelery(5, 6) ? ['$.worker_disable_prefetch: boolean'] : [],
        },
      ],
      ['memdump', [], {}],
      // Debian's Celery comes without psutil, and then knows nothing of its memory.
      ['memsample', [], { ours: ['$: string'], python: ['$: null'] }],
      ['ping', [], {}],
      ['registered', [], {}],
      ['report', [], {}],
      ['revoked', [], {}],
      [
        'stats',
        [],
        {
          ours: [
            // The name of the pool, as Celery has it from 5.3 on; and nothing is written to children.
            ...(isCelery(5, 3) ? [] : ['$.pool.implementation: string']),
            '$.pool.writes: string',
            // Figures that only we have.
            ...['publisher', 'results'].map((name) => `$.breakers.${name}: string`),
            '$.breakers: object',
            '$.endings.succeeded: number',
            '$.endings: object',
            '$.lanes: number',
            ...['breaker', 'eta', 'order', 'rate', 'retry'].map((reason) => `$.parked.${reason}: number`),
            '$.parked: object',
            '$.refused: object',
            ...['busy', 'ready', 'size'].map((figure) => `$.slots.${figure}: number`),
            '$.slots: object',
            '$.strays: number',
          ],
          python: [
            ...(isCelery(5, 6) ? ['$.broker.credential_provider: null'] : []),
            ...['all', 'avg', 'raw', 'strategy'].map((figure) => `$.pool.writes.${figure}: string`),
            '$.pool.writes.inqueues.active: number',
            '$.pool.writes.inqueues.total: number',
            '$.pool.writes.inqueues: object',
            '$.pool.writes.total: number',
            '$.pool.writes: object',
          ],
        },
      ],
    ]

    it.each(inspected)(
      '%s %j: the same keys with the same types',
      async (command, args, { ours = [], python = [] }) => {
        expect(differences(await ask('inspect', command, ...args))).toEqual({
          ours: [...ours].sort(),
          python: [...python].sort(),
        })
      },
    )

    it('says the same of the same tasks', async () => {
      const stable = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
          ['hostname', 'routing_key', 'time_start', 'worker_pid'].includes(key) ? undefined : inner,
        )
      const sorted = (value: unknown): unknown[] =>
        (stable(value) as unknown[]).map((each) => JSON.stringify(each)).sort()
      for (const command of ['active', 'reserved', 'scheduled', 'revoked']) {
        const { 'js@peers': ours, 'py@peers': python } = await ask('inspect', command)
        expect(sorted(ours)).toEqual(sorted(python))
      }
    })

    it('finds what waits for its time, too, which Python does not', async () => {
      const replies = await ask('inspect', 'query_task', 'eta')
      expect(replies).toEqual({
        'js@peers': { eta: ['scheduled', expect.objectContaining({ id: 'eta' })] },
        'py@peers': {},
      })
    })

    it('shows the settings with their defaults, under the same names and with the same types, but for a few', async () => {
      const { 'js@peers': ours, 'py@peers': python } = await ask('inspect', 'conf', 'true')
      const shared = Object.keys(ours as Json).filter((name) => Object.hasOwn(python as Json, name))
      expect(Object.keys(python as Json).filter((name) => !shared.includes(name))).toEqual([])
      const type = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value)
      const other = shared.filter((name) => type((ours as Json)[name]) !== type((python as Json)[name]))
      expect(other.sort()).toEqual([
        // null: no end of trying, where Python ends after 100.
        'broker_connection_max_retries',
        // A word, where Python has null for the same.
        'broker_failover_strategy',
        // The default of Celery 5.6, which earlier ones haven't.
        ...(isCelery(5, 6) ? [] : ['database_engine_options']),
        // false, where Python has null for the same.
        'redis_backend_use_ssl',
        // A text, where Python writes a number that is not valid JSON.
        'result_backend_max_retries',
        // Seconds, where Python has a timedelta and shows its text.
        'result_expires',
        // false, where Python has null for the same.
        'result_persistent',
        'task_reject_on_worker_lost',
        // Slots, where Python has null for the number of processors.
        'worker_concurrency',
      ])
    })

    it('is printed by Celery, whatever we add to its replies', async () => {
      for (const command of ['active', 'reserved', 'scheduled', 'stats', 'conf', 'report', 'memdump', 'registered']) {
        const program = runProgram(
          PYTHON,
          ['-m', 'celery', '-b', brokerUrl(), '-C', 'inspect', command, '-d', 'js@peers', '-t', '5'],
          { cwd: home },
        )
        expect(await program.exited).toEqual({ code: 0, signal: null })
        expect(program.stdout).toMatch(/^->\s+js@peers: OK\n\s+\S/)
        expect(program.stdout).toMatch(/1 node online\.\n$/)
      }
    })

    it('writes no heap snapshot unless it is allowed to, where Python wants a library that Debian has not', async () => {
      const { 'js@peers': ours, 'py@peers': python } = await ask('inspect', 'objgraph')
      expect(python).toEqual({ error: "ImportError('Requires the objgraph library')" })
      expect(ours).toEqual({ error: expect.stringContaining('unless worker_heap_snapshot names a file') })
    })
  })

  describe('control', () => {
    it.each([
      [['rate_limit', 'peers.echo', '5/m'], { ok: 'new rate limit set successfully' }],
      [['rate_limit', 'peers.nobody', '5/m'], { error: 'unknown task' }],
      [['rate_limit', 'peers.echo', 'fast'], null],
      [['rate_limit', 'peers.echo'], null],
      [['rate_limit', 'peers.sleep', '0'], { ok: 'new rate limit set successfully' }],
      [['time_limit', 'peers.echo', '10', '20'], { ok: 'time limits set successfully' }],
      [['time_limit', 'peers.nobody', '10', '20'], { error: 'unknown task' }],
      [['time_limit'], { error: 'unknown task' }],
      [['enable_events'], { ok: 'task events enabled' }],
      [['enable_events'], { ok: 'task events already enabled' }],
      [['disable_events'], { ok: 'task events disabled' }],
      [['disable_events'], { ok: 'task events already disabled' }],
      [['pool_restart'], { error: "ValueError('Pool restarts not enabled')" }],
      [['autoscale', '3', '1'], { error: "ValueError('Autoscale not enabled')" }],
      [['terminate', 'SIGTERM', 'nobody'], { ok: 'terminate: tasks unknown' }],
      [['terminate', 'SIGNOPE', 'nobody'], null],
      [['terminate', 'sigterm', 'nobody'], null],
      [['terminate', 'SIGTERM', 'second'], { ok: 'terminate: second' }],
      [['add_consumer'], null],
      [['cancel_consumer'], null],
    ] as const)('%j is answered alike', async (args, expected) => {
      const { 'js@peers': ours, 'py@peers': python } = await ask('control', ...args)
      expect(ours).toEqual(python)
      expect(ours).toEqual(expected ?? { error: expect.stringMatching(/Error\(/) })
    })

    it('revoke is answered in the words of Celery 5.6', async () => {
      expect(await ask('control', 'revoke', 'a1')).toEqual({
        'js@peers': { ok: "tasks {'a1'} flagged as revoked" },
        'py@peers': { ok: isCelery(5, 3) ? "tasks {'a1'} flagged as revoked" : 'tasks a1 flagged as revoked' },
      })
    })

    it('heartbeat is answered with nothing', async () => {
      expect(await ask('control', 'heartbeat')).toEqual({ 'js@peers': null, 'py@peers': null })
    })

    it('is seen by inspect: a rate limit, a terminated task', async () => {
      const { 'js@peers': ours, 'py@peers': python } = await ask('inspect', 'registered')
      expect(ours).toContain('peers.echo [rate_limit=5/m]')
      expect(python).toContain('peers.echo [rate_limit=5/m]')
      await running('first,waits')
    })

    it('pool_grow and pool_shrink change the number of processes, or of slots', async () => {
      const processes = (wanted: number): Promise<void> =>
        waitFor(
          async () => {
            const stats = (await ask('inspect', 'stats')) as Record<string, { pool: { processes: unknown[] } }>
            return NODES.every((node) => stats[node]?.pool.processes.length === wanted)
          },
          { what: `${wanted} processes or slots on both` },
        )
      const grow = { ok: 'pool will grow' }
      const shrink = { ok: 'pool will shrink' }
      expect(await ask('control', 'pool_grow', '2')).toEqual({ 'js@peers': grow, 'py@peers': grow })
      // Python makes the processes some time later, and can't take away what isn't there.
      await processes(4)
      expect(await ask('control', 'pool_shrink')).toEqual({ 'js@peers': shrink, 'py@peers': shrink })
      await processes(3)
    })

    it('add_consumer and cancel_consumer make both take from a queue, and leave it', async () => {
      const queue = await client.queue()
      expect(await ask('control', 'add_consumer', queue)).toEqual({
        'js@peers': { ok: `add consumer ${queue}` },
        'py@peers': { ok: `add consumer ${queue}` },
      })
      const consuming = async (): Promise<boolean> => {
        const replies = (await ask('inspect', 'active_queues')) as Record<string, Array<{ name: string }>>
        return NODES.every((node) => replies[node]?.some(({ name }) => name === queue))
      }
      await waitFor(consuming, { what: 'both to name the queue' })
      await waitFor(async () => (await client.consumers(queue)) >= 2, { what: 'consumers of both' })
      expect(await ask('control', 'cancel_consumer', queue)).toEqual({
        'js@peers': { ok: `no longer consuming from ${queue}` },
        'py@peers': { ok: `no longer consuming from ${queue}` },
      })
      await waitFor(async () => (await client.consumers(queue)) === 0, { what: 'no consumer left' })
      expect(await consuming()).toBe(false)
      expect(workers['js@peers'].output).toContain(`Started consuming from ${queue}`)
      for (const node of NODES) expect(workers[node].output.split(`Canceling queue ${queue}`)).toHaveLength(2)
    })
  })

  describe("the generic call of Python's client", () => {
    it('is told of commands that nobody has', async () => {
      const error = { error: "KeyError('nosuch')" }
      expect(await call(NODES, 'nosuch')).toEqual({ 'js@peers': error, 'py@peers': error })
    })

    it.each([
      ['pool_grow', { n: '1' }],
      ['pool_grow', { n: 1.5 }],
      ['pool_grow', { n: null }],
      ['terminate', { signal: ['TERM'], task_id: 'nobody' }],
      ['terminate', { signal: 'SIGNOPE', task_id: 'nobody' }],
    ])('refuses in the same words: %s %j', async (command, args) => {
      const { 'js@peers': ours, 'py@peers': python } = await call(NODES, command, args)
      expect(ours).toEqual(python)
      expect(ours).toEqual({ error: expect.stringMatching(/Error\(/) })
    })

    it('shows the same of the tasks', async () => {
      const items = ['serializer', 'max_retries', 'default_retry_delay', 'acks_late', 'ignore_result', 'track_started']
      const { 'js@peers': ours, 'py@peers': python } = await call(NODES, 'registered', { taskinfoitems: items })
      const echo = (replies: unknown): unknown[] =>
        (replies as string[]).filter((text) => text.startsWith('peers.echo'))
      expect(echo(ours)).toEqual(echo(python))
      expect(echo(ours)).toEqual([expect.stringContaining('serializer=json')])
    })

    it('reaches the commands that only we have', async () => {
      await client.publish(queues['js@peers'], [
        taskMessage('peers.sleep', { id: 'k1', args: [600_000], headers: { order_key: 'build-1' } }),
        taskMessage('peers.sleep', { id: 'k2', args: [600_000], headers: { order_key: 'build-1' } }),
      ])
      const lanes = async (): Promise<unknown> => (await call(['js@peers'], 'lanes'))['js@peers']
      const kept = async (): Promise<boolean> => ((await lanes()) as Array<{ depth: number }>)[0]?.depth === 2
      await waitFor(kept, { what: 'two messages of one key' })
      expect(await lanes()).toEqual([{ key: 'build-1', depth: 2, age: expect.any(Number), blocked: false, head: 'k1' }])
      const { 'js@peers': slots } = await call(['js@peers'], 'slots')
      expect(slots).toMatchObject({
        slots: { size: 3, busy: 3 },
        autoscale: false,
        bounds: { max: 3, min: 3 },
        window: [{ queue: queues['js@peers'], consumers: expect.any(Number), messages: expect.any(Number) }],
        parked: { eta: 1, order: 1, retry: 0, breaker: 0, rate: 0 },
        decisions: expect.any(Array),
      })
      expect(await call(['js@peers'], 'unblock', { key: 'build-1' })).toEqual({
        'js@peers': { error: 'build-1 is not blocked' },
      })
    })

    it('reaches those of a newer Celery', async () => {
      expect(
        await call(['js@peers'], 'revoke_by_stamped_headers', { headers: { mid: 'a' }, terminate: false }),
      ).toEqual({
        'js@peers': { ok: "headers {'mid': ['a']} flagged as revoked, but not terminated" },
      })
    })
  })

  it('shutdown has no reply, and ends both with 0 once nothing runs', async () => {
    await ask('control', 'terminate', 'SIGTERM', 'first', 'waits', 'k1', 'k2')
    const { code, stderr } = await celery('control', 'shutdown')
    expect(code).toBe(69)
    expect(stderr).toContain('Error: No nodes replied within time constraint')
    const ends = await Promise.all(NODES.map((node) => workers[node].exited))
    expect(ends).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ])
    expect(workers['js@peers'].output).toContain('Got shutdown from remote')
  })

  it('with autoscale, bounds are changed and told alike, and the pool is not', async () => {
    await Promise.all([start('js@peers', ['--autoscale', '4,1']), start('py@peers', ['--autoscale', '4,1'])])
    const refusal = { error: 'pool_grow is not supported with autoscale. Adjust autoscale range instead.' }
    expect(await ask('control', 'pool_grow')).toEqual({ 'js@peers': refusal, 'py@peers': refusal })
    const now = { ok: 'autoscale now max=3 min=2' }
    expect(await ask('control', 'autoscale', '3', '2')).toEqual({ 'js@peers': now, 'py@peers': now })
    const figures = async (): Promise<unknown[]> => {
      const stats = (await ask('inspect', 'stats')) as Record<string, { autoscaler: unknown }>
      return NODES.map((node) => stats[node]?.autoscaler)
    }
    const grown = { max: 3, min: 2, current: 2, qty: 0 }
    const both = async (): Promise<boolean> => isDeepStrictEqual(await figures(), [grown, grown])
    await waitFor(both, { what: `both to say ${JSON.stringify(grown)}` })
  })
})
