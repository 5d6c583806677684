import { describe, expect, it } from '@jest/globals'
import { DelayQueues } from '../../lib/amqp/delayed.js'
import { Postponer } from '../../lib/amqp/postponer.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { delayed } from '../../lib/protocol/delay.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('a message that is to wait in the delay queues, while the broker is away', () => {
  const message: OutgoingMessage = { exchange: 'x', routingKey: 'key', content: Buffer.alloc(0), properties: {} }

  /** Postpones it by an hour; the broker comes back after `awayMs`. @returns what is published then */
  async function sentAfter(awayMs: number): Promise<readonly OutgoingMessage[]> {
    const clock = new FakeClock()
    const published: OutgoingMessage[] = []
    const publisher = {
      onEpoch: async () => clock.advance(awayMs) as never,
      publish: async (message: OutgoingMessage) => void published.push(message),
    }
    const postponer = new Postponer(publisher, new DelayQueues('classic', new MemoryLog()), clock)
    expect(await postponer.postpone(message, 'queue', 3_600_000)).toBe(true)
    return published
  }

  it('waits there only for the rest of its time', async () => {
    expect(await sentAfter(0)).toEqual([delayed(message, 'queue', 3_600_000)])
    expect(await sentAfter(600_000)).toEqual([delayed(message, 'queue', 3_000_000)])
    expect(await sentAfter(3_599_500)).toEqual([delayed(message, 'queue', 1000)])
  })

  it('is not sent once nobody waits for that, although the broker is back', async () => {
    const waiting = new AbortController()
    const published: OutgoingMessage[] = []
    const publisher = {
      onEpoch: async () => waiting.abort(new Error('it runs here')) as never,
      publish: async (message: OutgoingMessage) => void published.push(message),
    }
    const postponer = new Postponer(publisher, new DelayQueues('classic', new MemoryLog()), new FakeClock())
    const postponing = postponer.postpone(message, 'queue', 3_600_000, { signal: waiting.signal })
    await expect(postponing).rejects.toThrow('it runs here')
    expect(published).toEqual([])
  })

  it('goes where it would have gone without a delay, if its time has come', async () => {
    expect(await sentAfter(3_600_000)).toEqual([message])
    expect(await sentAfter(7_200_000)).toEqual([message])
  })
})
