import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { Revoked } from '../../lib/request/revoked.js'
import { StateDb } from '../../lib/request/stateDb.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

describe('the state file', () => {
  let dir: string
  let file: string
  let clock: FakeClock

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'celeriac-statedb-'))
    file = join(dir, 'w.state')
    clock = new FakeClock()
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  function run(path = file): { db: StateDb; revoked: Revoked; lamport: LamportClock; log: MemoryLog } {
    const revoked = new Revoked(clock)
    const lamport = new LamportClock()
    const log = new MemoryLog()
    return { db: new StateDb({ file: path, revoked, lamport, clock, log }), revoked, lamport, log }
  }

  const saved = (): { revoked: { ids: [string, number][] } } => JSON.parse(readFileSync(file, 'utf8'))

  it('may be missing, and is there after a stop, for its owner alone', async () => {
    const { db, log } = run()
    await db.start()
    await db.stop()
    expect(log.of('WARNING')).toEqual([])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['w.state'])
  })

  it('brings back revoked ids and stamps with their age, and a clock that has not gone back', async () => {
    const first = run()
    await first.db.start()
    first.revoked.add('x')
    first.revoked.addStamp('mid', 'y')
    first.lamport.adjust(99)
    await first.db.stop()
    clock.advance(60_000)
    const second = run()
    await second.db.start()
    expect(second.revoked.has('x')).toBe(true)
    expect(second.revoked.hasStampOf({ stamps: { mid: 'y' } })).toBe(true)
    expect(second.lamport.value).toBeGreaterThan(100)
    clock.advance(10_800_000 - 60_000)
    expect(second.revoked.has('x')).toBe(false)
    await second.db.stop()
  })

  it('is written some seconds after a change, many at once', async () => {
    const { db, revoked } = run()
    await db.start()
    for (const id of ['a', 'b', 'c']) revoked.add(id)
    clock.advance(2_999)
    expect(readdirSync(dir)).toEqual([])
    clock.advance(1)
    expect(clock.pending).toBe(0)
    await waitFor(() => readdirSync(dir).includes('w.state'), { what: 'the file' })
    expect(saved().revoked.ids.map(([id]) => id)).toEqual(['a', 'b', 'c'])
    await db.stop()
  })

  it('leaves no timer behind and hears of nothing after a stop; a second stop and one without a start do nothing', async () => {
    const { db, revoked } = run()
    await db.start()
    revoked.add('a')
    await Promise.all([db.stop(), db.stop()])
    revoked.add('b')
    expect(clock.pending).toBe(0)
    expect(saved().revoked.ids.map(([id]) => id)).toEqual(['a'])
    const never = run()
    await never.db.stop()
    expect(saved().revoked.ids.map(([id]) => id)).toEqual(['a'])
  })

  it.each([
    ['is empty', ''],
    ['was cut short', '{"version":1,"clock":1,"revoked":{"ids":[["a",1'],
    ['is of another kind', '{"version":1,"clock":1,"revoked":{"ids":{"a":1},"stamps":[]}}'],
    ['has odd rows', '{"version":1,"clock":1,"revoked":{"ids":[["a"]],"stamps":[]}}'],
    ['is of another version', '{"version":2,"clock":1,"revoked":{"ids":[],"stamps":[]}}'],
    ['is null', 'null'],
  ])('is moved aside with a warning when it %s', async (_what, content) => {
    writeFileSync(file, content)
    const { db, log, revoked } = run()
    await db.start()
    const [aside = ''] = readdirSync(dir)
    expect(aside).toMatch(/^w\.state\.unreadable-\d+$/)
    expect(readFileSync(join(dir, aside), 'utf8')).toBe(content)
    expect(log.of('WARNING')).toHaveLength(1)
    expect(log.of('WARNING')[0]).toContain(join(dir, aside))
    revoked.add('a')
    await db.stop()
    expect(saved().revoked.ids.map(([id]) => id)).toEqual(['a'])
  })

  it("is moved aside when it is a shelve of Python's worker", async () => {
    // The first bytes of a database of GNU dbm, which Python's shelve is where that is installed.
    writeFileSync(file, Buffer.from('cf9a5713001000000010000000100000', 'hex'))
    const { db, log } = run()
    await db.start()
    expect(readdirSync(dir)[0]).toMatch(/^w\.state\.unreadable-/)
    expect(log.of('WARNING')[0]).toContain("files of Python's Celery can't be read")
    await db.stop()
  })

  it('that can be neither read nor written is told of, and nothing more', async () => {
    const { db, log } = run(join(dir, 'nowhere', 'w.state'))
    await db.start()
    expect(log.of('WARNING')[0]).toContain("The state of this worker can't be kept in")
    expect(log.of('WARNING')).toHaveLength(1)
    await db.stop()
    expect(log.of('ERROR')).toHaveLength(1)
    expect(log.of('ERROR')[0]).toContain("The state couldn't be saved in")
    mkdirSync(file)
    const directory = run()
    await directory.db.start()
    await directory.db.stop()
    expect(directory.log.of('WARNING')[0]).toContain("can't be read")
  })

  it('leaves nothing beside it when it can not be written', async () => {
    const { db, log } = run()
    await db.start()
    mkdirSync(file)
    await db.stop()
    expect(log.of('ERROR')[0]).toContain("The state couldn't be saved in")
    expect(readdirSync(dir)).toEqual(['w.state'])
  })
})
