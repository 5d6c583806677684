import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { ROOT } from '../support/workerProgram.js'
import { OfflinePanel } from './offlinePanel.js'

/** In a process of its own: the heap of a run of specs takes minutes to write on a slow machine, and the worker does nothing else until it is written. */
const THREE_SNAPSHOTS = `
  import { statSync, writeFileSync } from 'node:fs'
  import { memoryCommands } from './build/lib/control/commands/memory.js'
  import { Notes } from './build/lib/control/notes.js'
  const file = process.argv[1]
  let now = 0
  const clock = { monotonic: () => now }
  const objgraph = memoryCommands.find(({ name }) => name === 'objgraph')
  const parts = { clock, log: { warning() {} }, settings: { worker_heap_snapshot: file }, notes: new Notes(clock) }
  const answers = [0, 59_000, 60_000].map((at) => {
    now = at
    const answer = objgraph.answer({}, parts)
    const { mode, size } = statSync(file)
    writeFileSync(file, '')
    return { answer, forOthers: mode & 0o077, empty: size === 0 }
  })
  console.log(JSON.stringify(answers))
`

describe('the commands about the worker', () => {
  let app: OfflineApp
  let gated: Gated

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    app.task('strict', { orderBy: 'kwargs.key', orderOnFailure: 'block', params: ['name', 'key'] }, gated.run)
  })

  it('answer that the worker is there, and how late it is', () => {
    const node = new OfflinePanel(app)
    expect(node.answer('ping')).toEqual({ ok: 'pong' })
    node.lamport.adjust(41)
    expect(node.answer('clock')).toEqual({ clock: 42 })
  })

  it('pass on what other parts of the worker do', () => {
    const node = new OfflinePanel(app)
    expect(node.answer('hello', { from_node: 'w2@spec' })).toEqual({ heard: 'w2@spec' })
    expect(node.answer('election', { id: 'e1', topic: 'task' })).toBeNull()
    expect(node.answer('election', { id: 'e1' })).toEqual({
      error: `TypeError("election() missing 1 required positional argument: 'topic'")`,
    })
    expect(node.answer('heartbeat')).toBeNull()
    expect(node.asked).toEqual([['election', { id: 'e1', topic: 'task' }], 'heartbeat'])
    expect(
      ['enable_events', 'enable_events', 'disable_events', 'disable_events'].map((each) => node.answer(each)),
    ).toEqual([
      { ok: 'task events enabled' },
      { ok: 'task events already enabled' },
      { ok: 'task events disabled' },
      { ok: 'task events already disabled' },
    ])
  })

  it('shut it down without a reply', () => {
    const node = new OfflinePanel(app)
    expect(node.answer('shutdown')).toBeUndefined()
    expect(node.asked).toEqual(['shutdown'])
    expect(node.offline.log.of('WARNING')).toEqual(['Got shutdown from remote'])
  })

  describe('pool_grow and pool_shrink', () => {
    it('change the number of slots, one unless told otherwise', () => {
      const node = new OfflinePanel(app, { slots: 2 })
      expect(node.answer('pool_grow')).toEqual({ ok: 'pool will grow' })
      expect(node.bounds).toEqual({ max: 3, min: 3 })
      expect(node.offline.line.pool.size).toBe(3)
      expect(node.answer('pool_shrink', { n: 2 })).toEqual({ ok: 'pool will shrink' })
      expect(node.offline.line.pool.size).toBe(1)
    })

    it('leave one slot, and take no other numbers', () => {
      const node = new OfflinePanel(app, { slots: 2 })
      expect(node.answer('pool_shrink', { n: 2 })).toEqual({
        error: `ValueError("2 slots can't be 2 fewer: one has to be left")`,
      })
      expect(node.answer('pool_grow', { n: -1 })).toEqual({
        error: "ValueError('n must be a whole number, 0 or more')",
      })
      for (const [n, type] of [
        ['1', 'str'],
        [1.5, 'float'],
        [null, 'NoneType'],
        [[1], 'list'],
        [{}, 'dict'],
      ] as const) {
        expect(node.answer('pool_grow', { n })).toEqual({
          error: `TypeError("'${type}' object cannot be interpreted as an integer")`,
        })
      }
      expect(node.bounds).toEqual({ max: 2, min: 2 })
    })

    it('open no more slots than any connection can carry, whatever number comes', () => {
      const node = new OfflinePanel(app, { slots: 2 })
      expect(node.answer('pool_grow', { n: 4_000_000 })).toEqual({
        error: "ValueError('4000002 slots are more than the pool async can have: at most 65535')",
      })
      expect(node.answer('pool_grow', { n: 2n ** 64n })).toMatchObject({ error: expect.stringContaining('ValueError') })
      expect(node.bounds).toEqual({ max: 2, min: 2 })
      expect(node.offline.line.pool.size).toBe(2)
      expect(node.answer('pool_grow', { n: 65_533 })).toEqual({ ok: 'pool will grow' })
      expect(node.answer('pool_grow')).toMatchObject({ error: expect.stringContaining('at most 65535') })
    })

    it('start no more children than a machine bears', () => {
      const node = new OfflinePanel(app, { slots: 2, config: { worker_pool: 'prefork', worker_concurrency: 2 } })
      expect(node.answer('pool_grow', { n: 1023 })).toEqual({
        error: "ValueError('1025 slots are more than the pool prefork can have: at most 1024')",
      })
    })

    it('are refused with autoscale', () => {
      const node = new OfflinePanel(app, { config: { worker_autoscale: '4,2' } })
      expect([node.answer('pool_grow'), node.answer('pool_shrink')]).toEqual([
        { error: 'pool_grow is not supported with autoscale. Adjust autoscale range instead.' },
        { error: 'pool_shrink is not supported with autoscale. Adjust autoscale range instead.' },
      ])
    })
  })

  it('do not restart the pool, as Celery unless it is told to', () => {
    const node = new OfflinePanel(app)
    expect(node.answer('pool_restart')).toEqual({ error: "ValueError('Pool restarts not enabled')" })
  })

  describe('autoscale', () => {
    it('changes the bounds, also one of them', () => {
      const node = new OfflinePanel(app, { config: { worker_autoscale: '4,2' } })
      expect(node.answer('autoscale', { max: 3, min: 1 })).toEqual({ ok: 'autoscale now max=3 min=1' })
      expect(node.answer('autoscale', { max: 8 })).toEqual({ ok: 'autoscale now max=8 min=1' })
      expect(node.answer('autoscale', { min: 5 })).toEqual({ ok: 'autoscale now max=8 min=5' })
      expect(node.answer('autoscale', { max: 2 })).toEqual({ ok: 'autoscale now max=2 min=2' })
      expect(node.answer('autoscale', { max: 2, min: 3 })).toEqual({ error: "ValueError('max=2 is below min=3')" })
      expect(node.answer('autoscale')).toEqual({ ok: 'autoscale now max=2 min=2' })
    })

    it('takes no bound that no connection could carry', () => {
      const node = new OfflinePanel(app, { config: { worker_autoscale: '4,2' } })
      for (const bounds of [{ max: 4_000_000 }, { max: 65_536, min: 65_536 }, { min: 65_536 }]) {
        expect(node.answer('autoscale', bounds)).toMatchObject({ error: expect.stringContaining('at most 65535') })
      }
      expect(node.answer('autoscale', { max: '8' })).toEqual({
        error: `TypeError("'str' object cannot be interpreted as an integer")`,
      })
      expect(node.bounds).toEqual({ max: 4, min: 2 })
    })

    it('needs --autoscale', () => {
      const node = new OfflinePanel(app)
      expect(node.answer('autoscale', { max: 3 })).toEqual({ error: "ValueError('Autoscale not enabled')" })
    })
  })

  it('show the slots, the window and why they are as they are', () => {
    const node = new OfflinePanel(app, { slots: 2, config: { worker_autoscale: '4,1' } })
    node.intake = [{ queue: 'spec', consumers: 2, messages: 3 }]
    for (const name of ['a', 'b', 'c']) node.offline.deliver('plain', { args: [name] })
    node.offline.deliver('strict', { args: ['d'], kwargs: { key: 'k' } })
    node.offline.deliver('strict', { args: ['e'], kwargs: { key: 'k' } })
    const at = node.offline.clock.now()
    for (let slots = 1; slots <= 12; slots++) {
      node.decisions.push({ at, slots, reason: 'backlog', detail: { depth: 5 }, split: new Map([['spec', slots]]) })
    }
    const answer = node.answer('slots') as { decisions: unknown[] }
    expect(answer).toMatchObject({
      slots: { size: 2, busy: 2, ready: 2 },
      autoscale: true,
      bounds: { max: 4, min: 1 },
      window: [{ queue: 'spec', consumers: 2, messages: 3, parked: 1 }],
      parked: { eta: 0, order: 1, retry: 0, breaker: 0, rate: 0 },
    })
    expect(answer.decisions).toHaveLength(10)
    expect(answer.decisions[9]).toEqual({
      at: at / 1000,
      slots: 12,
      reason: 'backlog',
      held_back: false,
      detail: { depth: 5 },
      split: { spec: 12 },
    })
  })

  it('show the order keys in hand, and let a blocked one go on', async () => {
    const node = new OfflinePanel(app, { slots: 4 })
    const strict = (id: string, key: string): unknown =>
      node.offline.deliver('strict', { id, args: [id], kwargs: { key } })
    strict('a1', 'a')
    node.offline.clock.advance(2500)
    for (const id of ['b1', 'b2']) strict(id, 'b')
    expect(node.answer('lanes')).toEqual([
      { key: 'b', depth: 2, age: 0, blocked: false, head: 'b1' },
      { key: 'a', depth: 1, age: 2.5, blocked: false, head: 'a1' },
    ])
    strict('a2', 'a')
    node.offline.clock.advance(1000)
    gated.fail('a1', new Error('boom'))
    await node.offline.turn()
    expect(node.answer('lanes')).toEqual([
      { key: 'a', depth: 1, age: 1, blocked: true, head: null },
      { key: 'b', depth: 2, age: 1, blocked: false, head: 'b1' },
    ])
    expect(node.answer('unblock', { key: 'b' })).toEqual({ error: 'b is not blocked' })
    expect(node.answer('unblock', { key: 'a' })).toEqual({ ok: 'a unblocked' })
    expect(gated.started).toEqual(['a1', 'b1', 'a2'])
    expect(node.answer('unblock')).toEqual({
      error: `TypeError("unblock() missing 1 required positional argument: 'key'")`,
    })
  })

  describe('memory', () => {
    afterEach(killAllPrograms)

    it('is sampled, and told of with what was sampled', () => {
      const node = new OfflinePanel(app)
      const sample = node.answer('memsample')
      expect(sample).toMatch(/^\d+(\.\d+)?[KMG]B$/)
      const dump = node.answer('memdump') as string
      expect(dump).toContain(`- rss (sample):\n-    > ${sample},\n- rss (end): `)
      expect(dump).toMatch(/^- heap \(old_space\): [\d.]+[KMG]?[Bb] of [\d.]+[KMG]B\.$/m)
      expect(node.answer('memdump')).not.toContain('sample')
    })

    it('is told of with as many samples as are wanted, evenly spread', () => {
      const node = new OfflinePanel(app)
      for (let n = 0; n < 9; n++) node.answer('memsample')
      expect(String(node.answer('memdump', { samples: 3 })).match(/>/g)).toHaveLength(3)
    })

    it('is not written anywhere unless a setting names the file', () => {
      expect(new OfflinePanel(app).answer('objgraph')).toEqual({
        error: 'no heap snapshot is written unless worker_heap_snapshot names a file for it',
      })
    })

    it('is written to one file that nobody else can read, over the last one, and not too often', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
      const file = join(dir, 'heap')
      const program = runProgram(process.execPath, ['--input-type=module', '-e', THREE_SNAPSHOTS, file], { cwd: ROOT })
      expect({ ...(await program.exited), stderr: program.stderr }).toEqual({ code: 0, signal: null, stderr: '' })
      const written = { answer: { filename: file }, forOthers: 0, empty: false }
      expect(JSON.parse(program.stdout)).toEqual([
        written,
        { ...written, answer: { error: 'a heap snapshot was written just now; ask again in 1 s' }, empty: true },
        written,
      ])
      expect(await readdir(dir)).toEqual(['heap'])
      await rm(dir, { recursive: true })
    })
  })
})
