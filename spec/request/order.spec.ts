import { beforeEach, describe, expect, it } from '@jest/globals'
import type { OrderKey } from '../../lib/app/orderKey.js'
import { Retry } from '../../lib/app/predicate.js'
import type { FakeDelivery } from '../support/fakeDelivery.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('order by keys that nest', () => {
  let app: OfflineApp
  let gated: Gated
  let offline: OfflineLine

  const open = (slots = 8, config: Record<string, unknown> = {}): void => {
    offline = new OfflineLine(app, { slots, config })
  }

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    const params = ['name', 'key']
    const orderBy = ({ kwargs }: { kwargs: Record<string, unknown> }): OrderKey => kwargs.key as OrderKey
    app.task('job', { orderBy, params }, gated.run)
    app.task('strict', { orderBy, orderOnFailure: 'block', params }, gated.run)
    app.task('routed', { params: ['name', 'build', 'chroot'] }, gated.run)
    app.task('headed', { params: ['name'] }, gated.run)
    open()
  })

  const job = (name: string, key: unknown, task = 'job'): FakeDelivery =>
    offline.deliver(task, { id: name, args: [name], kwargs: { key } })

  /** A write that waits for its turn. */
  function held(): [Promise<void>, () => void] {
    let write = (): void => undefined
    const written = new Promise<void>((resolve) => {
      write = resolve
    })
    return [written, write]
  }

  async function end(...names: string[]): Promise<void> {
    for (const name of names) gated.end(name)
    await offline.turn()
  }

  it('runs what neither contains the other side by side', () => {
    job('x', ['b', 'x'])
    job('y', ['b', 'y'])
    job('other', ['c', 'x'])
    expect(gated.started).toEqual(['x', 'y', 'other'])
  })

  it('lets a shorter key wait for all that it contains, and hold back what comes after it', async () => {
    job('x1', ['b', 'x'])
    job('y1', ['b', 'y', '1'])
    job('all', ['b'])
    job('x2', ['b', 'x'])
    job('y2', ['b', 'y', '1'])
    job('z', ['b', 'z'])
    expect(gated.started).toEqual(['x1', 'y1'])
    await end('x1')
    expect(gated.started).toEqual(['x1', 'y1'])
    await end('y1')
    expect(gated.started).toEqual(['x1', 'y1', 'all'])
    await end('all')
    expect(gated.started).toEqual(['x1', 'y1', 'all', 'x2', 'y2', 'z'])
    await end('x2', 'y2', 'z')
    expect(offline.line.lanes.size).toBe(0)
  })

  it('takes a plain text for a key of one part, and a text with a slash for no other', () => {
    job('all', 'b')
    job('x', ['b', 'x'])
    job('text', 'b/x')
    expect(gated.started).toEqual(['all', 'text'])
  })

  it('gives a free slot to the message delivered first of those that are let go together', async () => {
    open(1)
    job('all', ['b'])
    for (const name of ['z', 'y', 'x']) job(name, ['b', name])
    await end('all')
    await end('z')
    await end('y')
    expect(gated.started).toEqual(['all', 'z', 'y', 'x'])
  })

  it('gives two slots that are free at once to those let go together, before what was delivered after them', async () => {
    open(2)
    const [written, write] = held()
    job('all', 'b').writing = written
    job('x', ['b', 'x'])
    job('y', ['b', 'y'])
    job('other', 'a').writing = written
    job('later', 'c')
    await end('other', 'all')
    expect(gated.started).toEqual(['all', 'other'])
    write()
    await offline.turn()
    expect(gated.started).toEqual(['all', 'other', 'x', 'y'])
  })

  it('lets those go at once that waited only for a message that leaves before its turn', async () => {
    job('x1', ['b', 'x'])
    job('all', ['b'])
    job('y', ['b', 'y'])
    job('x2', ['b', 'x'])
    offline.line.revoke(['all'])
    await offline.turn()
    expect(gated.started).toEqual(['x1', 'y'])
    await end('x1')
    expect(gated.started).toEqual(['x1', 'y', 'x2'])
  })

  it('keeps the place of a retry against longer and shorter keys', async () => {
    job('x1', ['b', 'x'])
    job('all', ['b'])
    job('x2', ['b', 'x'])
    gated.fail('x1', new Retry({ countdown: 5 }))
    await offline.turn()
    expect(gated.started).toEqual(['x1'])
    offline.clock.advance(5000)
    await end('x1')
    await end('all')
    expect(gated.started).toEqual(['x1', 'x1', 'all', 'x2'])
  })

  it('keeps, at a stop, what waits for a run under another key', async () => {
    const run = job('x', ['b', 'x'])
    const held = [job('all', ['b']), job('y', ['b', 'y'])]
    const free = job('ready', ['c'])
    offline.line.pool.resize(1)
    gated.end('ready')
    await offline.turn()
    const unstarted = job('c2', ['c'])
    offline.line.close()
    expect(offline.settled).toEqual([free, unstarted])
    await end('x')
    expect(offline.settled.slice(2)).toEqual([run, ...held])
  })

  it('keeps, at a stop, what has an ETA and is of the key of a run, until that has ended', async () => {
    const run = job('a1', 'a')
    const eta = new Date(offline.clock.now() + 5000).toISOString()
    const later = offline.deliver('job', { args: ['a2'], kwargs: { key: 'a' }, headers: { eta } })
    const other = offline.deliver('job', { args: ['b'], kwargs: { key: 'b' }, headers: { eta } })
    offline.line.close()
    expect(offline.settled).toEqual([other])
    expect(offline.clock.pending).toBe(0)
    await end('a1')
    expect(offline.settled).toEqual([other, run, later])
  })

  it('starts nothing behind a message before its acknowledgement is written', async () => {
    const first = job('first', 'a')
    const [written, write] = held()
    first.writing = written
    job('second', 'a')
    await end('first')
    expect(first.settledBy).toBe('ack')
    expect(gated.started).toEqual(['first'])
    write()
    await offline.turn()
    expect(gated.started).toEqual(['first', 'second'])
  })

  it('starts nothing behind a message that is revoked before that is acknowledged, and written', async () => {
    open(1)
    job('other', 'b')
    const first = job('first', 'a')
    job('second', 'a')
    const [written, write] = held()
    first.writing = written
    offline.line.revoke(['first'])
    await end('other')
    expect(first.settledBy).toBe('ack')
    expect(gated.started).toEqual(['other'])
    write()
    await offline.turn()
    expect(gated.started).toEqual(['other', 'second'])
  })

  it('keeps no message without a key from its slot while an acknowledgement waits to be written', async () => {
    open(1)
    job('first', undefined).writing = held()[0]
    job('second', undefined)
    await end('first')
    expect(gated.started).toEqual(['first', 'second'])
  })

  it('starts an end without any earlier message at once', () => {
    job('end', ['b', 'x'])
    expect(gated.started).toEqual(['end'])
  })

  it('does not hold back, after a connection was lost, what comes again and has nothing before it', async () => {
    const first = job('x1', ['b', 'x'])
    const waiting = job('all', ['b'])
    for (const delivery of [first, waiting]) delivery.live = false
    offline.line.connectionLost()
    job('y', ['b', 'y'])
    job('all again', ['b'])
    expect(gated.started).toEqual(['x1', 'y'])
    await end('x1')
    await end('y')
    expect(gated.started).toEqual(['x1', 'y', 'all again'])
  })

  describe('a key blocked by a failure', () => {
    beforeEach(async () => {
      job('x1', ['b', 'x'], 'strict')
      gated.fail('x1', new Error('boom'))
      await offline.turn()
    })

    it('holds back what contains it and what it contains, and no other', () => {
      job('all', ['b'])
      job('y', ['b', 'y'])
      job('within', ['b', 'x', '1'])
      job('z', ['c'])
      expect(gated.started).toEqual(['x1', 'z'])
      expect([...offline.line.lanes].map(({ key, depth, blocked, head }) => ({ key, depth, blocked, head }))).toEqual([
        { key: 'b/x', depth: 0, blocked: true, head: null },
        { key: 'b', depth: 1, blocked: false, head: null },
        { key: 'b/y', depth: 1, blocked: false, head: null },
        { key: 'b/x/1', depth: 1, blocked: false, head: null },
        { key: 'c', depth: 1, blocked: false, head: expect.objectContaining({ key: 'c' }) },
      ])
    })

    it('does not hold back what is beside it', () => {
      job('y', ['b', 'y'])
      expect(gated.started).toEqual(['x1', 'y'])
    })

    it('goes on in order when an operator says so, once', async () => {
      job('x2', ['b', 'x'])
      job('all', ['b'])
      expect(offline.line.gate.unblock('b')).toBe(false)
      expect(offline.line.gate.unblock('b/x')).toBe(true)
      expect(offline.line.gate.unblock('b/x')).toBe(false)
      expect(gated.started).toEqual(['x1', 'x2'])
      await end('x2')
      await end('all')
      expect(offline.line.lanes.size).toBe(0)
    })

    it('stays blocked over a lost connection, and gives its messages back at a stop', () => {
      job('x2', ['b', 'x']).live = false
      offline.line.connectionLost()
      const again = job('x2 again', ['b', 'x'])
      expect(gated.started).toEqual(['x1'])
      offline.line.close()
      expect(again.settledBy).toBe('giveBack')
    })
  })

  it('does not block a key by the failure of a message that comes again', async () => {
    const first = job('x1', ['b', 'x'], 'strict')
    first.live = false
    offline.line.connectionLost()
    job('x1 again', ['b', 'x'], 'strict')
    gated.fail('x1', new Error('boom'))
    await offline.turn()
    expect(gated.started).toEqual(['x1', 'x1 again'])
  })

  it('takes keys that nest from the setting, and from the header', () => {
    open(8, { task_order_by: { routed: 'kwargs.build/kwargs.chroot' } })
    const routed = (name: string, kwargs: Record<string, unknown>): FakeDelivery =>
      offline.deliver('routed', { args: [name], kwargs })
    const headed = (name: string, order_key: unknown): FakeDelivery =>
      offline.deliver('headed', { args: [name], headers: { order_key } })
    routed('x', { build: 1, chroot: 'x' })
    routed('y', { build: 1, chroot: 'y' })
    routed('all', { build: 1 })
    headed('y2', [1, 'y'])
    headed('z', ['1', 'z'])
    headed('other', '2')
    expect(gated.started).toEqual(['x', 'y', 'other'])
    expect([...offline.line.state.requests].map(({ key }) => key)).toEqual(['1/x', '1/y', '1', '1/y', '1/z', '2'])
  })

  describe('a message whose key is no key', () => {
    it('is rejected, logged and counted', () => {
      const delivery = job('a', { id: 1 })
      expect(delivery.settledBy).toBe('reject')
      expect(gated.started).toEqual([])
      expect(offline.log.of('ERROR')).toEqual([
        `Task job[a] was rejected: could not determine the order key: TypeError("orderBy returned {'id': 1}, which is not a valid key; expected a string, a number, or a list of these")`,
      ])
      expect(offline.line.state.refused.get('order-key')).toBe(1)
    })

    it('runs without order where the setting says so, logged and counted', () => {
      open(8, { task_order_key_error: 'unordered' })
      app.task(
        'thrower',
        {
          orderBy: () => {
            throw new RangeError('no build')
          },
        },
        gated.run,
      )
      offline.deliver('thrower', { id: 't1', args: ['t1'] })
      offline.deliver('headed', { id: 't2', args: ['t2'], headers: { order_key: {} } })
      expect(gated.started).toEqual(['t1', 't2'])
      expect(offline.line.lanes.size).toBe(0)
      expect(offline.log.of('WARNING')).toEqual([
        "Task thrower[t1] runs without order: could not determine the order key: ValueError('no build')",
        `Task headed[t2] runs without order: could not determine the order key: TypeError('the header order_key is {}, which is not a valid key; expected a string, a number, or a list of these')`,
      ])
      expect(offline.line.state.unordered).toBe(2)
    })
  })
})
