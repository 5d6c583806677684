import { describe, expect, it } from '@jest/globals'
import { Resources } from '../../lib/app/resources.js'
import { Celery } from '../../lib/index.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

function harness() {
  const resources = new Resources()
  const log = new MemoryLog()
  const clock = new FakeClock()
  const told: string[] = []
  const add = (name: string): void =>
    resources.add(name, {
      start: async () => {
        told.push(`start ${name}`)
        return name.toUpperCase()
      },
      stop: (value) => void told.push(`stop ${value}`),
    })
  return { add, clock, log, resources, terms: { timeoutMs: 1000, log, clock }, told }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

describe('resources', () => {
  it('are opened in their order, and closed in reverse', async () => {
    const { add, resources, terms, told } = harness()
    add('db')
    add('cache')
    await resources.start(terms)
    expect(resources.values).toEqual({ db: 'DB', cache: 'CACHE' })
    await resources.stop(terms)
    expect(told).toEqual(['start db', 'start cache', 'stop CACHE', 'stop DB'])
    expect(resources.values).toEqual({})
  })

  it('are opened once for two workers of a process, closed after the last of them, and may be opened again', async () => {
    const { add, resources, terms, told } = harness()
    add('db')
    await Promise.all([resources.start(terms), resources.start(terms)])
    await resources.stop(terms)
    expect(told).toEqual(['start db'])
    await resources.stop(terms)
    await resources.stop(terms)
    await resources.start(terms)
    expect(told).toEqual(['start db', 'stop DB', 'start db'])
  })

  it('fail the start if one cannot be opened, which is named, and close those before it', async () => {
    const { add, resources, terms, told } = harness()
    add('db')
    resources.add('mail', {
      start: () => {
        throw new Error('refused')
      },
    })
    await expect(resources.start(terms)).rejects.toThrow("resource mail was not opened: Exception('refused')")
    expect(told).toEqual(['start db', 'stop DB'])
    expect(resources.values).toEqual({})
  })

  it('fail the start if one is not open in time, and close it if it is later', async () => {
    const { clock, resources, terms, told } = harness()
    let open: (value: string) => void = () => undefined
    const opening = new Promise<string>((resolve) => {
      open = resolve
    })
    resources.add('slow', { start: () => opening, stop: (value) => void told.push(`stop ${value}`) })
    const start = resources.start(terms)
    const failed = expect(start).rejects.toThrow(
      'resource slow was not opened: not done within 1 s (worker_resource_timeout)',
    )
    await turns()
    clock.advance(1000)
    await failed
    open('late')
    await turns()
    expect(told).toEqual(['stop late'])
  })

  it('are all closed, though one throws and another hangs', async () => {
    const { add, clock, log, resources, terms, told } = harness()
    add('db')
    resources.add('bad', {
      start: () => 1,
      stop: () => {
        throw new Error('no')
      },
    })
    resources.add('stuck', { start: () => 1, stop: () => new Promise(() => undefined) })
    await resources.start(terms)
    const stop = resources.stop(terms)
    await turns()
    clock.advance(1000)
    await stop
    expect(told).toEqual(['start db', 'stop DB'])
    expect(log.of('ERROR')).toEqual([
      'Resource stuck was not closed: not done within 1 s (worker_resource_timeout)',
      "Resource bad was not closed: Exception('no')",
    ])
  })

  it.each([
    ['db', { start: () => 1 }, "app.resource('db'): there is a resource of that name already"],
    ['a b', { start: () => 1 }, "app.resource('a b'): expected a name such as 'db'"],
    ['x', {}, "app.resource('x'): start is missing"],
    ['x', { start: 1 }, "app.resource('x'): start is 1: expected a function"],
    ['x', { start: () => 1, close: () => 1 }, "app.resource('x'): close is not an option here: write stop"],
    ['x', { start: () => 1, time_out: 3 }, "app.resource('x'): time_out is not an option"],
  ])('of a wrong definition are an error: %p %p', (name, options, text) => {
    const app = new Celery('spec').resource('db', { start: () => 1 })
    expect(() => app.resource(name, options as never)).toThrow(text)
  })
})
