import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Channel } from 'amqplib'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { Witness } from '../../lib/amqp/witness.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

const refusal = (code: number, name: string): Error => Object.assign(new Error(`${code} ${name}`), { code })

describe('the witness of a connection', () => {
  let clock: FakeClock
  let log: MemoryLog
  let witness: Witness
  let ending: AbortController

  beforeEach(() => {
    clock = new FakeClock()
    log = new MemoryLog()
    ending = new AbortController()
    witness = new Witness({ nodename: 'w@h', clock, log, isNeeded: () => true })
  })

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const epochWith = (ended: AbortSignal, channel: Partial<Record<keyof Channel, () => Promise<unknown>>>): Epoch =>
    ({
      ended,
      heartbeat: 2,
      scratch: (use: (given: unknown) => Promise<unknown>) => use(channel),
    }) as unknown as Epoch

  /** Lost before the broker's answer to the declaration has come. */
  async function lostTooSoon(): Promise<void> {
    const answer = new Promise((_, reject) => {
      ending.signal.addEventListener('abort', () => reject(ending.signal.reason))
    })
    const standing = witness.stand(epochWith(ending.signal, { assertQueue: () => answer }))
    ending.abort(new Error('read ECONNRESET'))
    witness.lost()
    await standing
  }

  it('may be there although the connection was lost before its declaration was answered', async () => {
    await lostTooSoon()
    let there = 2
    const checkQueue = async (): Promise<void> => {
      throw there-- > 0 ? refusal(405, 'RESOURCE_LOCKED') : refusal(404, 'NOT_FOUND')
    }
    let isSettled = false
    const settled = witness.settled(epochWith(new AbortController().signal, { checkQueue })).then(() => {
      isSettled = true
    })
    await turn()
    expect(witness.heldUp).toBe(true)
    for (let second = 0; second < 3; second++) {
      expect(isSettled).toBe(false)
      clock.advance(1000)
      await turn()
    }
    await settled
    expect(witness.heldUp).toBe(false)
  })

  it('holds nothing up where the broker never heard of it', async () => {
    await lostTooSoon()
    const checkQueue = async (): Promise<never> => {
      throw refusal(404, 'NOT_FOUND')
    }
    await witness.settled(epochWith(new AbortController().signal, { checkQueue }))
    expect(log.of('WARNING')).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is asked for once on a connection whose broker refuses it', async () => {
    let asked = 0
    const assertQueue = async (): Promise<never> => {
      asked++
      throw refusal(403, 'ACCESS_REFUSED')
    }
    const epoch = epochWith(ending.signal, { assertQueue })
    await witness.stand(epoch)
    await witness.stand(epoch)
    expect(asked).toBe(1)
    expect(log.of('WARNING')).toHaveLength(1)
    await witness.stand(epochWith(ending.signal, { assertQueue }))
    expect(asked).toBe(2)
  })
})
