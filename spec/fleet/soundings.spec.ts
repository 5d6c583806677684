import { beforeEach, describe, expect, it } from '@jest/globals'
import type { QueueDepth } from '../../lib/broker/intake.js'
import { Soundings } from '../../lib/fleet/soundings.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('the depths of a fleet', () => {
  let clock: FakeClock
  let asked: number
  let answer: () => Promise<ReadonlyMap<string, QueueDepth>>
  let soundings: Soundings

  beforeEach(() => {
    clock = new FakeClock()
    asked = 0
    answer = async () => new Map([['q.lane.0', { ready: 3, consumers: 1 }]])
    soundings = new Soundings({
      queues: () => ['q', 'q.lane.0'],
      clock,
      log: new MemoryLog(),
      depths: (queues) => {
        expect(queues).toEqual(['q', 'q.lane.0'])
        asked++
        return answer()
      },
    })
  })

  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }

  it('are asked for by the worker with the mover, at once and then every 5 s', async () => {
    await turns()
    expect(asked).toBe(0)
    soundings.turn(true)
    await turns()
    expect([asked, soundings.readyIn('q'), soundings.readyIn('q.lane.0')]).toEqual([1, null, 3])
    clock.advance(5000)
    await turns()
    expect(asked).toBe(2)
  })

  it('are forgotten when another has the mover, also those that are on their way', async () => {
    soundings.turn(true)
    await turns()
    soundings.turn(false)
    expect(soundings.readyIn('q.lane.0')).toBeNull()
    soundings.turn(true)
    soundings.turn(false)
    await turns()
    expect(soundings.readyIn('q.lane.0')).toBeNull()
    clock.advance(60_000)
    expect(clock.pending).toBe(0)
  })

  it('are unknown once the broker has not answered for a while, and known again when it does', async () => {
    soundings.turn(true)
    await turns()
    answer = async () => {
      throw new Error('away')
    }
    for (let tick = 0; tick < 4; tick++) {
      clock.advance(5000)
      await turns()
    }
    expect(soundings.readyIn('q.lane.0')).toBeNull()
    answer = async () => new Map([['q', { ready: 9, consumers: 1 }]])
    clock.advance(5000)
    await turns()
    expect(soundings.readyIn('q')).toBe(9)
  })
})
