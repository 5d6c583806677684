import { describe, expect, it } from '@jest/globals'
import type { WorkerState } from '../../lib/request/state.js'
import { Capacity } from '../../lib/scaling/capacity.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('the limit of parked messages', () => {
  it('is told of once while messages leave and others take their place, and its end when there are clearly fewer', () => {
    const state = { parked: 0, parkedFrom: () => 0, excessFrom: () => 0 }
    const log = new MemoryLog()
    const capacity = new Capacity({ state: state as unknown as WorkerState, multiplier: 1, parkedLimit: 100, log })
    const pass = (...counts: readonly number[]): void => {
      for (const parked of counts) {
        state.parked = parked
        capacity.perQueue()
        expect(capacity.atLimit).toBe(parked >= 100)
      }
    }
    const told = (): readonly number[] => [log.of('WARNING').length, log.of('INFO').length]
    pass(99)
    expect(told()).toEqual([0, 0])
    pass(100, 99, 102, 98, 100, 91, 100)
    expect(told()).toEqual([1, 0])
    pass(90, 95, 99)
    expect(told()).toEqual([1, 1])
    pass(100, 0)
    expect(told()).toEqual([2, 2])
  })

  it('of none is no limit that nothing has reached', () => {
    const state = { parked: 0, parkedFrom: () => 0, excessFrom: () => 0 }
    const log = new MemoryLog()
    const capacity = new Capacity({ state: state as unknown as WorkerState, multiplier: 1, parkedLimit: 0, log })
    capacity.perQueue()
    expect([capacity.atLimit, log.of('WARNING')]).toEqual([false, []])
    state.parked = 1
    capacity.perQueue()
    expect([capacity.atLimit, log.of('WARNING').length]).toEqual([true, 1])
  })
})
