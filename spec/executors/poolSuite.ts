import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { encodeException } from '../../lib/protocol/exception.js'
import { taskTuple } from '../../lib/protocol/result.js'
import { Decimal, PlainDate, PreciseDate, Uuid } from '../../lib/protocol/values.js'
import { ODDITIES } from '../support/oddities.js'
import { waitFor } from '../support/waitFor.js'
import { APP, type MakePool, PoolHarness, type PoolOptions } from './poolHarness.js'

/** What a pool of children does, whatever they are. */
export function describePool(name: string, make: MakePool): void {
  describe(`the ${name} pool`, () => {
    let harness: PoolHarness | null = null
    const start = async (options: PoolOptions = {}): Promise<PoolHarness> => {
      harness = await PoolHarness.start(make, options)
      return harness
    }
    afterEach(async () => {
      await harness?.pool.stop()
      harness = null
    })

    it('hands values of every kind there and back, in arguments and results', async () => {
      const pool = await start()
      const values = {
        text: 'žluťoučký 🐎',
        numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
        big: 2n ** 60n,
        date: new Date(1_700_000_000_123),
        precise: new PreciseDate('2024-05-06T07:08:09.123456+00:00'),
        bytes: Buffer.from([0, 1, 254, 255]),
        decimal: new Decimal('1.50'),
        day: new PlainDate('2024-02-29'),
        uuid: new Uuid('12345678-1234-5678-1234-567812345678'),
        map: new Map([['key', new Decimal('2')]]),
        set: new Set([1, 2]),
        none: null,
        tagged: { 'celeriac.type': 'Decimal', value: 'a task may call a field so' },
        nested: [[{ deep: new Date(1) }]],
      }
      const result = await pool.resultOf<unknown[]>('cpu.echo', [values], { kwargs: { other: Buffer.from('other') } })
      expect(result).toStrictEqual([values, Buffer.from('other')])
    })

    it('leaves out of a result what no message could hold', async () => {
      const pool = await start()
      const result = await pool.resultOf('cpu.echo', [{ fn: () => 1, list: [() => 1], kept: 1 }])
      expect(result).toEqual([{ list: [null], kept: 1 }, null])
    })

    it("shows the task its request as the worker's own process does", async () => {
      const pool = await start()
      const request = pool.request('cpu.request', [1, 'two'], { retries: 2 })
      expect(await pool.start(request)).toMatchObject({
        state: 'SUCCESS',
        result: {
          id: request.id,
          task: 'cpu.request',
          args: [1, 'two'],
          kwargs: {},
          retries: 2,
          rootId: 'root',
          parentId: 'parent',
          correlationId: request.id,
          replyTo: 'reply',
          hostname: 'w@spec',
          headers: { 'my-h': 'v' },
          deliveryInfo: { routingKey: 'spec', priority: 3, redelivered: false },
        },
      })
      expect(request.startedAt).toEqual(expect.any(Number))
    })

    it('brings errors back with their name, text, stack and what Python is told of them', async () => {
      const pool = await start()
      const outcome = await pool.run('cpu.fail', ['type'])
      expect(outcome).toMatchObject({ state: 'FAILURE', kind: 'unexpected' })
      const { error } = outcome as typeof outcome & { state: 'FAILURE' }
      expect({ name: error.name, message: error.message }).toEqual({ name: 'TypeError', message: 'that is no number' })
      expect(error.stack).toMatch(/TypeError: that is no number\n\s+at .*cpu\.js/)
      expect(encodeException(error)).toEqual({
        exc_type: 'TypeError',
        exc_message: ['that is no number'],
        exc_module: 'builtins',
      })
      const own = (await pool.run('cpu.fail', ['own'])) as typeof outcome & { state: 'FAILURE' }
      expect(encodeException(own.error)).toEqual({
        exc_type: 'Overheated',
        exc_message: ['too hot', 451, { at: 'core' }],
        exc_module: 'plant.errors',
      })
      expect(await pool.run('cpu.fail', ['text'])).toMatchObject({
        state: 'FAILURE',
        error: { message: 'not an error' },
      })
    })

    it('ends a run, and keeps its child, whatever odd value a task throws, returns, logs or retries with', async () => {
      const pool = await start()
      const before = pool.children
      for (const what of Object.keys(ODDITIES)) {
        for (const way of ['throws', 'returns', 'logs', 'stores', 'retries']) {
          const { state } = await pool.run('cpu.odd', [way, what])
          expect({ what, way, state }).toEqual({ what, way, state: expect.stringMatching(/^(SUCCESS|FAILURE|RETRY)$/) })
        }
      }
      expect(await pool.run('cpu.odd', ['throws', 'an object without a prototype'])).toMatchObject({
        state: 'FAILURE',
        error: { message: expect.stringContaining('a non-error was thrown') },
      })
      expect(pool.children).toEqual(before)
    })

    it('fails a task whose arguments cannot be sent, and runs the next in the same child', async () => {
      const pool = await start()
      const circle: unknown[] = []
      circle.push(circle)
      expect(await pool.run('cpu.echo', [circle])).toMatchObject({
        state: 'FAILURE',
        error: { name: 'TypeError', message: expect.stringContaining('circular') },
      })
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
    })

    it('fails a task for arguments that it does not take, and for a result that cannot be sent', async () => {
      const pool = await start()
      expect(await pool.run('cpu.echo', [], { kwargs: { nope: 1 } })).toMatchObject({
        state: 'FAILURE',
        error: { name: 'TypeError', message: "echo() got an unexpected keyword argument 'nope'" },
      })
      expect(await pool.run('cpu.fail', ['circle'])).toMatchObject({
        state: 'FAILURE',
        error: { name: 'TypeError', message: expect.stringContaining('circular') },
      })
    })

    it('fails a task for a result that is nested too deeply to be read back', async () => {
      const pool = await start()
      expect(await pool.run('cpu.fail', ['depth'])).toMatchObject({ state: 'FAILURE', error: { name: 'TypeError' } })
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
    })

    it('brings back every other way to end: retry, autoretry, expected errors, ignore, reject', async () => {
      const pool = await start()
      expect(await pool.run('cpu.again', [10])).toMatchObject({
        state: 'RETRY',
        retry: { options: { countdown: 10, args: [11, new Date(0)], exc: { name: 'RangeError', message: 'not yet' } } },
      })
      expect(await pool.run('cpu.again', [10], { retries: 3 })).toMatchObject({
        state: 'FAILURE',
        error: { name: 'RangeError', message: 'not yet' },
      })
      expect(await pool.run('cpu.autoretry')).toMatchObject({ state: 'RETRY', retry: { options: { countdown: 7 } } })
      expect(await pool.run('cpu.expected')).toMatchObject({ state: 'FAILURE', kind: 'expected' })
      expect(await pool.run('cpu.ignore')).toMatchObject({ state: 'IGNORED' })
      for (const requeue of [true, false]) {
        expect(await pool.run('cpu.reject', [requeue])).toMatchObject({
          state: 'REJECTED',
          reject: { reason: 'not mine', requeue, message: 'not mine' },
        })
      }
    })

    it("writes the task's log lines that are wanted, and stores its states before it goes on", async () => {
      const pool = await start()
      expect(await pool.resultOf('cpu.tell')).toBe('stored')
      expect(pool.taskLog.lines).toEqual([{ level: 'WARNING', message: 'half way', facts: { step: 1 } }])
      expect(pool.states).toEqual([{ state: 'PROGRESS', meta: { done: 1, at: new Date(5) } }])
      pool.storeFails = true
      expect(await pool.resultOf('cpu.tell')).toBe('the store is away')
    })

    it('takes no states and no log lines for a task from code that an earlier one has left behind', async () => {
      const pool = await start()
      await pool.resultOf('cpu.keep')
      const refused = 'The state LATE is not stored: the task that reports it has ended'
      expect(await pool.resultOf('cpu.useKept')).toEqual([refused, refused])
      expect(pool.states).toEqual([])
      expect(pool.taskLog.lines).toEqual([])
      expect(pool.log.of('WARNING')).toEqual(['too late'])
    })

    it("makes what a task sends its child, and closes the app's connection when the pool stops", async () => {
      const directory = mkdtempSync(join(tmpdir(), 'cpu-spec-'))
      const file = join(directory, 'sent')
      try {
        const pool = await start({ env: { CPU_SENT: file } })
        const request = pool.request('cpu.send')
        const outcome = await pool.start(request)
        await pool.pool.stop()
        const [prepared, headers, closed] = readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
        expect(prepared).toEqual({ prepared: 'next' })
        expect(headers).toMatchObject({ task: 'cpu.next', root_id: 'root', parent_id: request.id })
        expect(closed).toEqual({ closed: true })
        expect(outcome).toMatchObject({ state: 'SUCCESS', result: headers.id })
        expect(request.children).toEqual([taskTuple(headers.id)])
      } finally {
        rmSync(directory, { recursive: true })
      }
    })

    it('kills a task at its hard limit, harms no other, and runs the next', async () => {
      const pool = await start({ size: 2 })
      const before = pool.children
      const other = pool.run('cpu.spin', [1500])
      const stuck = pool.request('cpu.spin', [3_600_000])
      const startedAt = performance.now()
      expect(await pool.start(stuck, { hard: 1 })).toMatchObject({
        state: 'FAILURE',
        kind: 'timeout',
        error: { name: 'TimeLimitExceeded', excType: 'TimeLimitExceeded', excModule: 'billiard.exceptions', args: [1] },
      })
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(999)
      expect(pool.log.of('ERROR')).toEqual([`Hard time limit (1s) exceeded for cpu.spin[${stuck.id}]`])
      const next = pool.resultOf('cpu.echo', ['next'])
      expect(await other).toMatchObject({ state: 'SUCCESS', result: 'spun' })
      expect(await next).toEqual(['next', null])
      await waitFor(() => pool.children.length === 2, { what: 'the killed child to be gone' })
      expect(pool.children.filter((id) => before.includes(id))).toHaveLength(1)
    })

    it('tells a task of its soft limit, which it may catch or not', async () => {
      const pool = await start({ size: 2 })
      const limits = { soft: 0.2, hard: 20 }
      const tidy = pool.request('cpu.wait', [60_000, true])
      const [caught, uncaught, listening] = await Promise.all([
        pool.start(tidy, limits),
        pool.run('cpu.wait', [60_000, false], { limits }),
        pool.run('cpu.listen', [], { limits }),
      ])
      expect(caught).toMatchObject({ state: 'SUCCESS', result: { tidied: 'SoftTimeLimitExceeded', args: [0.2] } })
      for (const outcome of [uncaught, listening]) {
        expect(outcome).toMatchObject({
          state: 'FAILURE',
          kind: 'unexpected',
          error: { excType: 'SoftTimeLimitExceeded', excModule: 'billiard.exceptions', args: [0.2] },
        })
      }
      expect(pool.log.of('WARNING')).toContain(`Soft time limit (0.2s) exceeded for cpu.wait[${tidy.id}]`)
      expect(pool.log.of('ERROR')).toEqual([])
    })

    it('says nothing of limits to a task that ends in time', async () => {
      const pool = await start()
      expect(await pool.resultOf('cpu.wait', [1, false], { limits: { soft: 0.3, hard: 0.6 } })).toBe('slept')
      expect(await pool.resultOf('cpu.wait', [800, false])).toBe('slept')
      expect(pool.log.lines).toEqual([])
    })

    it('fails the task of a child that ends by itself, and replaces the child', async () => {
      const pool = await start()
      const [before] = pool.children
      await pool.resultOf('cpu.echo', [1])
      expect(await pool.run('cpu.exit', [3])).toMatchObject({
        state: 'FAILURE',
        kind: 'lost',
        error: {
          excType: 'WorkerLostError',
          excModule: 'billiard.exceptions',
          message: 'Worker exited prematurely: exitcode 3 Job: 2.',
          args: ['Worker exited prematurely: exitcode 3 Job: 2.'],
        },
      })
      expect(pool.log.of('ERROR')).toEqual([
        expect.stringMatching(/^(Process|Thread) '\w+-1' \w+:\d+ exited with 'exitcode 3'$/),
      ])
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
      expect(pool.children).toHaveLength(1)
      expect(pool.children).not.toContain(before)
    })

    it('fails the task of a child that an uncaught error ends', async () => {
      const pool = await start()
      expect(await pool.run('cpu.crash')).toMatchObject({
        state: 'FAILURE',
        kind: 'lost',
        error: { message: 'Worker exited prematurely: exitcode 1 Job: 1.' },
      })
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
    })

    it('tells in which process a task runs, before it runs', async () => {
      const pool = await start()
      const { pid } = await pool.resultOf<{ pid: number }>('cpu.where')
      expect(pool.started.map((one) => one.pid)).toEqual([pid])
      expect(pid === process.pid).toBe(name === 'threads')
    })

    it('goes on after a promise that a task left over was rejected', async () => {
      const pool = await start()
      const [before] = pool.children
      await pool.resultOf('cpu.leave')
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
      expect(pool.children).toEqual([before])
    })

    it('replaces a child after so many tasks', async () => {
      const pool = await start({ maxTasksPerChild: 2 })
      const seen: number[] = []
      for (let task = 0; task < 5; task++) {
        const { pid, thread } = await pool.resultOf<{ pid: number; thread: number }>('cpu.where')
        seen.push(name === 'threads' ? thread : pid)
      }
      expect([seen[0] === seen[1], seen[1] === seen[2], seen[2] === seen[3], seen[3] === seen[4]]).toEqual([
        true,
        false,
        true,
        false,
      ])
      expect(pool.log.of('ERROR')).toEqual([])
    })

    it('replaces a child that has grown too heavy once it has answered', async () => {
      const pool = await start({ maxMemoryPerChildKib: 300_000 })
      const [before] = pool.children
      await pool.resultOf('cpu.echo', [1])
      expect(pool.children).toEqual([before])
      await pool.resultOf('cpu.grow', [350])
      await pool.resultOf('cpu.echo', [2])
      expect(pool.children).not.toContain(before)
      expect(pool.log.of('WARNING')).toEqual([
        expect.stringMatching(/^child process exiting after exceeding memory limit \(\d{6}KiB \/ 300000KiB\)$/),
      ])
    })

    it('ends a task that is told to stop, and kills one that does not listen', async () => {
      const pool = await start({ size: 2 })
      const polite = pool.request('cpu.listen')
      const deaf = pool.request('cpu.deaf')
      const outcomes = Promise.all([pool.start(polite), pool.start(deaf)])
      await Promise.all([pool.heard('listening'), pool.heard('deaf')])
      for (const request of [polite, deaf]) request.abort(new Error('the connection was lost'))
      for (const outcome of await outcomes) {
        expect(outcome).toMatchObject({ state: 'ABORTED', error: { message: 'the connection was lost' } })
      }
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
    })

    it('does not run what was told to stop, or has expired, while it waited for a child', async () => {
      const pool = await start()
      const running = pool.run('cpu.wait', [300, false])
      const aborted = pool.request('cpu.exit', [1])
      const outcome = pool.start(aborted)
      const expired = pool.run('cpu.exit', [1], { expires: Date.now() + 100 })
      aborted.abort(new Error('the connection was lost'))
      expect(await running).toMatchObject({ state: 'SUCCESS' })
      expect(await outcome).toMatchObject({ state: 'ABORTED', error: { message: 'the connection was lost' } })
      expect(await expired).toEqual({ state: 'REVOKED', reason: 'expired' })
    })

    it('grows at once, and shrinks by idle children first and busy ones later', async () => {
      const pool = await start({ size: 1 })
      pool.pool.resize(3)
      const runs = [1, 2, 3].map(() => pool.resultOf<{ pid: number }>('cpu.wait', [500, false]))
      expect(pool.children).toHaveLength(3)
      await Promise.all(runs)
      const busy = pool.request('cpu.listen')
      const outcome = pool.start(busy)
      await pool.heard('listening')
      pool.pool.resize(1)
      await waitFor(() => pool.children.length === 1, { what: 'the idle children to end' })
      expect(pool.pool.describe()).toMatchObject({ 'max-concurrency': 1 })
      busy.abort(new Error('enough'))
      expect(await outcome).toMatchObject({ state: 'ABORTED', error: { message: 'enough' } })
      expect(pool.children).toHaveLength(1)
    })

    it('shrinks to a size below what runs as its tasks end', async () => {
      const pool = await start({ size: 2 })
      const runs = [pool.run('cpu.wait', [300, false]), pool.run('cpu.wait', [300, false])]
      pool.pool.resize(1)
      expect(pool.children).toHaveLength(2)
      expect(await Promise.all(runs)).toMatchObject([{ state: 'SUCCESS' }, { state: 'SUCCESS' }])
      await waitFor(() => pool.children.length === 1, { what: 'the surplus child to end' })
    })

    it('does not start when the app cannot be loaded', async () => {
      const broken = PoolHarness.unstarted(make, {
        source: { specifier: `${APP}:nope`, cwd: '/', include: [] },
        size: 2,
      })
      await expect(broken.pool.start()).rejects.toThrow(/has no export nope/)
      expect(broken.children).toEqual([])
      expect(await broken.run('cpu.echo', [1])).toMatchObject({ state: 'ABORTED' })
    })

    it('can be stopped twice, also while something runs, which it kills', async () => {
      const pool = await start({ size: 2 })
      const outcome = pool.run('cpu.deaf')
      await pool.heard('deaf')
      await Promise.all([pool.pool.stop(), pool.pool.stop()])
      expect(await outcome).toMatchObject({ state: 'FAILURE', kind: 'lost' })
      expect(pool.children).toEqual([])
    })
  })
}
