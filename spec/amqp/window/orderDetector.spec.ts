import { beforeEach, describe, expect, it } from '@jest/globals'
import { OrderDetector } from '../../../lib/amqp/window/orderDetector.js'
import type { Request } from '../../../lib/request/request.js'
import { FakeClock } from '../../support/fakeClock.js'
import { FakeDelivery } from '../../support/fakeDelivery.js'
import { MemoryLog } from '../../support/memoryLog.js'

const QUORUM: ReadonlyMap<string, { breaksOrder: boolean }> = new Map([['quorum', { breaksOrder: true }]])

describe('a quorum queue whose messages name their order themselves', () => {
  let clock: FakeClock
  let log: MemoryLog
  let running: Set<Pick<Request, 'acksLate' | 'delivery'>>
  let ending: AbortController
  let keys: OrderDetector

  beforeEach(() => {
    clock = new FakeClock()
    log = new MemoryLog()
    running = new Set()
    ending = new AbortController()
    keys = new OrderDetector({ clock, log, running, ordered: false })
  })

  const epoch = {
    get ended(): AbortSignal {
      return ending.signal
    },
    end: (reason: unknown): void => ending.abort(reason),
  }
  const delivery = (headers: Record<string, unknown>, queue = 'quorum'): FakeDelivery =>
    new FakeDelivery({ headers }, Buffer.from(''), queue)
  const run = (acksLate: boolean): FakeDelivery => {
    const own = delivery({})
    running.add({ acksLate, delivery: own })
    return own
  }

  it('gets a connection with another window at its first such message, and takes in neither that nor any after it', () => {
    const admits = keys.watch(epoch, QUORUM)
    expect(admits(delivery({}))).toBe(true)
    expect(admits(delivery({ order_key: null }))).toBe(true)
    expect([keys.ordered, ending.signal.aborted]).toEqual([false, false])
    expect(admits(delivery({ order_key: 'a' }))).toBe(false)
    expect(admits(delivery({}))).toBe(false)
    expect([keys.ordered, ending.signal.aborted]).toEqual([true, true])
    expect(log.of('WARNING')).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('keeps its connection until what runs, and would be repeated, has ended', () => {
    run(false)
    const late = run(true)
    keys.watch(epoch, QUORUM)(delivery({ order_key: 'a' }))
    clock.advance(1000)
    expect(ending.signal.aborted).toBe(false)
    late.live = false
    clock.advance(20)
    expect(ending.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('is not waited for any longer when the connection is lost meanwhile', () => {
    run(true)
    keys.watch(epoch, QUORUM)(delivery({ order_key: 'a' }))
    ending.abort()
    clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['of another type', 'classic', QUORUM],
    ['with a constant window', 'quorum', new Map([['quorum', { breaksOrder: false }]])],
  ] as const)('is left alone if it is one %s', (_, queue, kinds) => {
    expect(keys.watch(epoch, kinds)(delivery({ order_key: 'a' }, queue))).toBe(true)
    expect([keys.ordered, ending.signal.aborted]).toEqual([false, false])
  })
})
