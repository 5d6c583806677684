import { describe, expect, it } from '@jest/globals'
import { aborted } from '../../lib/listeners.js'
import { decode } from '../../lib/protocol/decode.js'
import { Departures } from '../../lib/request/departures.js'
import { Request } from '../../lib/request/request.js'
import { FakeClock } from '../support/fakeClock.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'

const LIMITS = { accept: ['json'], maxSize: 1e6, maxNesting: 100, maxItems: 1e6, maxHeaders: 100 }

describe('the departures', () => {
  const make = ({ parkedLimit = 3 as number | null, refusal = '', delays = true, isAway = false } = {}) => {
    const clock = new FakeClock()
    const log = new MemoryLog()
    const state = { parked: 0, postponed: 0 }
    const gone: Request[] = []
    const tried: number[] = []
    const waiting: FakeDelivery[] = []
    const departures = new Departures({
      clock,
      log,
      state,
      parkedLimit,
      etaMemoryLimit: 600,
      postpone: async (_message, _queue, delayMs, signal) => {
        tried.push(delayMs)
        if (isAway && signal) await aborted(signal).then(() => signal.throwIfAborted())
        if (refusal) throw new Error(refusal)
        return delays
      },
      working: new AbortController().signal,
      onDeparted: (request) => gone.push(request),
      onStayed: () => undefined,
    })
    const app = new OfflineApp('spec')
    const task = app.task('spec.later', () => undefined)
    const arrive = async (delayMs: number, parked: number, { queue = 'spec', returns = 0 } = {}): Promise<void> => {
      const eta = new Date(clock.now() + delayMs).toISOString()
      const { properties, content } = taskMessage('spec.later', { headers: { eta, 'x-delivery-count': returns } })
      const message = decode(properties, content, LIMITS)
      state.parked = parked
      const delivery = Object.assign(new FakeDelivery(properties, content, queue), {
        isCounted: true,
        redelivered: true,
      })
      departures.consider(new Request(message, task, delivery, null, false, 0), delayMs)
      if (isAway) waiting.push(delivery)
      else await departures.settled()
    }
    return { arrive, departures, gone, log, state, tried, waiting }
  }

  it('send on what comes when as many are parked as may be, and say so once until there are far fewer', async () => {
    const { arrive, gone, log, state } = make({ parkedLimit: 4 })
    await arrive(60_000, 3)
    expect(gone).toHaveLength(0)
    for (const parked of [4, 5, 3, 4]) await arrive(60_000, parked)
    expect([gone.length, state.postponed]).toEqual([3, 3])
    expect(log.of('INFO')).toHaveLength(1)
    await arrive(60_000, 2)
    await arrive(60_000, 4)
    expect(log.of('INFO')).toHaveLength(2)
  })

  it('send on what went back to its quorum queue ten times, which RabbitMQ 4 drops after 20', async () => {
    const { arrive, gone } = make()
    await arrive(60_000, 0, { returns: 9 })
    expect(gone).toHaveLength(0)
    await arrive(60_000, 0, { returns: 10 })
    expect(gone).toHaveLength(1)
  })

  it('keep what is due in a moment', async () => {
    const { arrive, tried } = make()
    await arrive(1999, 10)
    await arrive(2000, 10)
    expect(tried).toEqual([2000])
  })

  it('keep it where nothing limits the intake', async () => {
    const { arrive, tried } = make({ parkedLimit: null })
    await arrive(60_000, 10_000)
    expect(tried).toEqual([])
  })

  it('leave it where it is when the broker has no way to keep it, and say so once', async () => {
    const { arrive, gone, log, state } = make({ delays: false })
    for (let count = 0; count < 3; count++) await arrive(60_000, 3)
    expect([gone.length, state.postponed]).toEqual([0, 0])
    expect(log.of('WARNING')).toEqual([expect.stringContaining("can't keep what is for spec")])
    expect(log.of('INFO')).toEqual([])
  })

  it('leave it where it is when the delay queues are not to be had, and say so once', async () => {
    const { arrive, gone, log, state } = make({ refusal: 'ACCESS-REFUSED' })
    for (let count = 0; count < 3; count++) await arrive(60_000, 3)
    await arrive(60_000, 3, { queue: 'q'.repeat(250) })
    expect([gone.length, state.postponed]).toEqual([0, 0])
    expect(log.of('WARNING')).toEqual([
      'Messages that wait for their ETA hold up other messages, because they cannot be moved to the delay queues: ACCESS-REFUSED',
    ])
  })

  // It is delivered again, and leaves then: the first copy would only run it twice.
  it('do not send on what was lost with its connection while the broker could not be reached', async () => {
    const { arrive, departures, gone, log, state, waiting } = make({ isAway: true })
    for (const delayMs of [3_600_000, 7_200_000]) await arrive(delayMs, 0)
    const [lost, kept] = waiting as [FakeDelivery, FakeDelivery]
    lost.live = false
    departures.forgetLost()
    await new Promise(setImmediate)
    kept.live = false
    departures.forgetLost()
    await departures.settled()
    expect([gone.length, state.postponed]).toEqual([0, 0])
    expect(log.lines).toEqual([])
  })
})
