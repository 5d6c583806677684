import { beforeEach, describe, expect, it } from '@jest/globals'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

const LANE = 'builds.lane.0'
const OTHER = 'builds.lane.1'

describe('a gate that closes for one queue', () => {
  let gated: Gated
  let offline: OfflineLine

  beforeEach(() => {
    gated = new Gated()
    const app = new OfflineApp('spec')
    app.task('spec.keyed', { orderBy: 'args.1' }, gated.run)
    offline = new OfflineLine(app)
  })

  function deliver(name: string, key: string, queue: string, headers: Record<string, unknown> = {}): FakeDelivery {
    const { content, properties } = taskMessage('spec.keyed', { args: [name, key], headers })
    return offline.deliverRaw(
      new FakeDelivery(properties, content, queue, (delivery) => offline.settled.push(delivery)),
    )
  }

  const eta = (): string => new Date(offline.clock.now() + 60_000).toISOString()

  it("gives back at once what hasn't started, in order, and leaves the other queues alone", async () => {
    offline.line.pool.resize(0)
    const going = [deliver('a', 'k', LANE), deliver('b', 'k', LANE), deliver('c', 'l', LANE, { eta: eta() })]
    const staying = deliver('d', 'm', OTHER)
    offline.line.gate.close(LANE)
    expect(offline.settled).toEqual(going)
    expect([going.map(({ settledBy }) => settledBy), staying.settledBy]).toEqual([Array(3).fill('giveBack'), null])
    offline.line.pool.resize(4)
    await offline.turn()
    expect(gated.started).toEqual(['d'])
  })

  it('keeps what stands behind a run until that has ended, and gives it back then', async () => {
    const running = deliver('a', 'k', LANE)
    const behind = deliver('b', 'k', LANE)
    offline.line.gate.close(LANE)
    await offline.turn()
    expect([running.settledBy, behind.settledBy]).toEqual([null, null])
    gated.end('a')
    await offline.turn()
    expect([running.settledBy, behind.settledBy, gated.started]).toEqual(['ack', 'giveBack', ['a']])
  })

  it('lets nothing in that still comes of the queue, until it is reopened', async () => {
    offline.line.gate.close(LANE)
    const late = deliver('a', 'k', LANE)
    expect([late.settledBy, gated.started]).toEqual(['giveBack', []])
    offline.line.gate.closure.reopen(LANE)
    deliver('b', 'k', LANE)
    expect(gated.started).toEqual(['b'])
  })

  it('keeps in its place what comes behind a run', async () => {
    deliver('a', 'k', LANE)
    offline.line.gate.close(LANE)
    const late = deliver('b', 'k', LANE)
    expect(late.settledBy).toBeNull()
    gated.end('a')
    await offline.turn()
    expect([late.settledBy, gated.started]).toEqual(['giveBack', ['a']])
  })

  it('gives back what stays after all, when it was being sent on to wait elsewhere', async () => {
    let answer: (taken: boolean) => void = () => undefined
    const postpone = (): Promise<boolean> => new Promise((resolve) => (answer = resolve))
    const app = new OfflineApp('spec')
    app.task('spec.keyed', { orderBy: 'args.1' }, gated.run)
    offline = new OfflineLine(app, { postpone })
    const far = new Date(offline.clock.now() + 86_400_000).toISOString()
    const delivery = deliver('a', 'k', LANE, { eta: far })
    offline.line.gate.close(LANE)
    expect(delivery.settledBy).toBeNull()
    answer(false)
    await offline.turn()
    expect([delivery.settledBy, offline.line.state.requests.size]).toEqual(['giveBack', 0])
  })
})
