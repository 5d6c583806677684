import { beforeEach, describe, expect, it } from '@jest/globals'
import { BrokerError } from '../../lib/errors.js'
import type { RunTally } from '../../lib/request/poison.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

const LANE = 'builds.lane.0'
const MOST = 4

class MemoryTally implements RunTally {
  readonly asked: string[] = []
  readonly ended: string[] = []
  runs = 0
  answer = async (_signal: AbortSignal): Promise<number> => this.runs

  covers(queue: string): boolean {
    return queue === LANE
  }

  begin(id: string, signal: AbortSignal): Promise<number> {
    this.asked.push(id)
    return this.answer(signal)
  }

  end(id: string): void {
    this.ended.push(id)
  }
}

describe('a message that returned to a queue that counts returns without a run, too', () => {
  let tally: MemoryTally
  let gated: Gated
  let offline: OfflineLine

  beforeEach(() => {
    tally = new MemoryTally()
    gated = new Gated()
    const app = new OfflineApp('spec')
    app.task('spec.late', { acksLate: true }, gated.run)
    app.task('spec.early', gated.run)
    app.task('spec.again', { bind: true, orderBy: () => 'key' }, (self) => {
      throw self.retry({ countdown: 10 })
    })
    offline = new OfflineLine(app, { config: { worker_max_deliveries: MOST }, tally })
  })

  async function deliver(returns: number, { task = 'spec.late', queue = LANE } = {}): Promise<FakeDelivery> {
    const { content, properties } = taskMessage(task, {
      id: 'a',
      args: task === 'spec.again' ? [] : ['a'],
      headers: { 'x-delivery-count': returns },
    })
    const delivery = new FakeDelivery(properties, content, queue)
    offline.deliverRaw(Object.assign(delivery, { redelivered: returns > 0, isCounted: true }))
    await offline.turn()
    return delivery
  }

  it.each([
    { what: 'has never run', returns: 40, runs: 0, isRun: true },
    { what: 'had a run that never ended, and fewer than half the limit', returns: 40, runs: 1, isRun: true },
    { what: 'had half the limit of runs that never ended', returns: 40, runs: 2, isRun: false },
    { what: 'had them in its last returns alone', returns: 4, runs: 2, isRun: false },
    { what: 'has not reached the limit', returns: 3, runs: 2, isRun: true },
  ])('$what: runs is $isRun', async ({ returns, runs, isRun }) => {
    tally.runs = runs
    const delivery = await deliver(returns)
    expect([gated.started, delivery.settledBy]).toEqual(isRun ? [['a'], null] : [[], 'reject'])
    expect(offline.line.state.refused.get('deliveries')).toBe(isRun ? undefined : 1)
    expect(offline.log.of('ERROR').length).toBe(isRun ? 0 : 1)
  })

  it('is counted from half the limit on', async () => {
    await deliver(1)
    expect(tally.asked).toEqual([])
    await deliver(2)
    expect(tally.asked).toEqual(['a'])
  })

  it('is not counted where it is acknowledged before it runs, nor on another queue', async () => {
    await deliver(40, { task: 'spec.early' })
    expect(gated.started).toEqual(['a'])
    const other = await deliver(40, { queue: 'builds' })
    expect([other.settledBy, tally.asked]).toEqual(['reject', []])
  })

  it('has no run against it that came to an end, of whatever kind', async () => {
    await deliver(40)
    expect(tally.ended).toEqual([])
    gated.end('a')
    await offline.turn()
    expect(tally.ended).toEqual(['a'])
    const again = await deliver(40, { task: 'spec.again' })
    expect([again.settledBy, tally.ended]).toEqual([null, ['a', 'a']])
    offline.clock.advance(10_000)
    await offline.turn()
    expect([tally.asked.length, tally.ended.length]).toEqual([3, 3])
  })

  it('goes back when it is told to stop before it is counted', async () => {
    tally.answer = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new BrokerError('away'))))
    const delivery = await deliver(40)
    expect(delivery.settledBy).toBeNull()
    offline.line.close()
    offline.line.abort()
    await offline.turn()
    expect([delivery.settledBy, gated.started]).toEqual(['giveBack', []])
  })

  it('is rejected at the limit, and not before, if its runs cannot be counted', async () => {
    tally.answer = () => Promise.reject(new BrokerError('no permission'))
    await deliver(3)
    expect(gated.started).toEqual(['a'])
    expect((await deliver(4)).settledBy).toBe('reject')
    expect(offline.log.of('WARNING')[0]).toContain('could not be counted: no permission')
  })
})
