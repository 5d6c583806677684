import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ChannelModel, connect } from 'amqplib'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import { systemClock } from '../../lib/clock.js'
import { RemoteNeighbours } from '../../lib/control/neighbours.js'
import type { Clock } from '../../lib/ports.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { ownBroker } from '../support/ownBroker.js'
import { waitFor } from '../support/waitFor.js'

const broker = ownBroker()
const EXCHANGE = 'celery.pidbox'

describe('whether there are neighbours', () => {
  let under: ConnectionUnderTest
  let last: ChannelModel
  const log = new MemoryLog()

  beforeEach(async () => {
    under = await connectionTo(broker(), log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    last = await connect(broker())
    const channel = await last.createChannel()
    await channel.assertExchange(EXCHANGE, 'fanout', { durable: false })
    await channel.assertQueue('w@spec.celery.pidbox', { durable: false, exclusive: true })
    await channel.bindQueue('w@spec.celery.pidbox', EXCHANGE, '')
  })

  afterEach(async () => {
    await last.close().catch(() => undefined)
    await under.connection.stop()
  })

  /** @param onPause called each time before it is looked again */
  async function isAlone(patienceMs: number, onPause: (count: number) => void): Promise<boolean | undefined> {
    const [epoch] = under.epochs
    if (!epoch) throw new Error('no epoch')
    let pauses = 0
    let now = 0
    const clock: Clock = {
      now: systemClock.now,
      monotonic: () => now,
      setTimer: (fn, delayMs) => {
        if (delayMs >= 1000) return systemClock.setTimer(fn, 60_000)
        now += delayMs
        onPause(++pauses)
        return systemClock.setTimer(fn, 0)
      },
    }
    const options = { nodename: 'w@spec', clock, lamport: new LamportClock(), log }
    return (await RemoteNeighbours.look(async () => new AmqpSession(epoch, log), options, patienceMs))?.alone
  }

  it('is asked again while the mailbox of the last connection may still be there', async () => {
    let closing: Promise<unknown> | undefined
    const alone = await isAlone(Number.POSITIVE_INFINITY, (count) => {
      if (count === 2) closing = last.close()
    })
    await closing
    expect(alone).toBe(true)
  })

  it('is not asked again where there was somebody before', async () => {
    expect(
      await isAlone(0, () => {
        throw new Error('asked again')
      }),
    ).toBe(false)
  })

  it('is not asked for ever', async () => {
    let looks = 0
    expect(
      await isAlone(300, (count) => {
        looks = count
      }),
    ).toBe(false)
    expect(looks).toBe(15)
  })
})
