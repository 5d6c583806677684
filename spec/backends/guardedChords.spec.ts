import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { BackendError } from '../../lib/backends/backendError.js'
import { GuardedBackend, type GuardOptions } from '../../lib/backends/guarded.js'
import { MemoryBackend } from '../../lib/backends/memory.js'
import type { ChordPart, ChordStore } from '../../lib/ports.js'
import { StopLimit } from '../../lib/stopLimit.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

/** The first calls fail: each name of a call is told, with `again` for one that says it is repeated. */
class Away extends MemoryBackend {
  readonly calls: string[] = []
  failures = 0
  error: Error = new BackendError('it is away')
  override readonly chords: ChordStore

  constructor() {
    super()
    const { chords } = new MemoryBackend()
    const tried = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
      this.calls.push(name)
      if (this.failures-- > 0) throw this.error
      return call()
    }
    this.chords = {
      setSize: (id, size) => tried('setSize', () => chords.setSize(id, size)),
      grow: (id, by) => tried('grow', () => chords.grow(id, by)),
      addPart: (part) => tried(part.isRepeated ? 'addPart again' : 'addPart', () => chords.addPart(part)),
      members: (id) => tried('members', () => chords.members(id)),
      close: (id) => tried('close', () => chords.close(id)),
      takeBody: (body) => tried('takeBody', () => chords.takeBody(body)),
    }
  }
}

describe('GuardedChords', () => {
  const clock = new FakeClock()
  const group = () => randomUUID()
  const part = (groupId: string): ChordPart => ({
    groupId,
    groupIndex: 0,
    id: 'a',
    state: 'SUCCESS',
    result: 1,
    isRepeated: false,
  })
  const guard = (inner: Away, more: Partial<GuardOptions> = {}): ChordStore & { stop(): Promise<void> } => {
    const backend = new GuardedBackend(inner, { clock, log: new MemoryLog(), ...more })
    if (!backend.chords) throw new Error('no chords')
    return Object.assign(backend.chords, { stop: () => backend.stop() })
  }
  /** Lets what is ready go on, then time pass. */
  const pass = async (ms: number): Promise<void> => {
    await new Promise(setImmediate)
    clock.advance(ms)
    await new Promise(setImmediate)
  }

  it('counts a part once the store is back, saying that it may have been counted, ever more slowly', async () => {
    const inner = new Away()
    const chords = guard(inner)
    const id = group()
    await chords.setSize(id, 1)
    inner.failures = 5
    const counting = chords.addPart(part(id))
    for (const ms of [250, 500, 1000, 2000]) await pass(ms)
    expect(inner.calls).toEqual(['setSize', 'addPart', ...Array(4).fill('addPart again')])
    await pass(1999)
    expect(inner.calls).toHaveLength(6)
    await pass(1)
    expect(await counting).toEqual(expect.any(String))
    await chords.stop()
  })

  it('tries nothing again that fails for good, and a growth never', async () => {
    const inner = new Away()
    const chords = guard(inner)
    inner.failures = 2
    await expect(chords.grow(group())).rejects.toThrow('it is away')
    inner.error = new BackendError('it is no use', { retriable: false })
    await expect(chords.addPart(part(group()))).rejects.toThrow('it is no use')
    expect(inner.calls).toEqual(['grow', 'addPart'])
    await chords.stop()
  })

  it('gives up when it is stopped, saying what is missing', async () => {
    const inner = new Away()
    const chords = guard(inner)
    inner.failures = 10
    const counting = expect(chords.addPart(part('g'))).rejects.toMatchObject({ retriable: true })
    await pass(250)
    await chords.stop()
    await counting
    await expect(chords.members('g')).rejects.toThrow('the results of chord g were not read: it is away')
    expect(inner.calls).toEqual(['addPart', 'addPart again', 'members'])
  })

  it('gives up when the limit of a stop has passed', async () => {
    const inner = new Away()
    const stopLimit = new StopLimit(clock, 1000)
    const chords = guard(inner, { stopLimit })
    inner.failures = 10
    const closing = expect(chords.close('g')).rejects.toThrow('chord g was not closed: it is away')
    await pass(250)
    stopLimit.begin()
    await pass(1000)
    await closing
    const { length } = inner.calls
    await pass(2000)
    expect(inner.calls).toHaveLength(length)
    await chords.stop()
  })
})
