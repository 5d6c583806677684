import { beforeEach, describe, expect, it } from '@jest/globals'
import { QueueRefused } from '../../lib/broker/intake.js'
import { BrokerError } from '../../lib/errors.js'
import { Refusals } from '../../lib/worker/refusals.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('a queue that the broker refuses', () => {
  let clock: FakeClock
  let refusals: Refusals
  /** What a try comes to. */
  let answer: () => void
  /** Seconds at which it was tried. */
  let tries: number[]

  beforeEach(() => {
    clock = new FakeClock(0)
    tries = []
    refusals = new Refusals({
      clock,
      log: new MemoryLog(),
      onDue: () => {
        tries.push(clock.monotonic() / 1000)
        answer()
      },
    })
  })

  const refuse = (isCostly = false): void => refusals.add('q', new QueueRefused('no', isCostly))

  it('is tried again at growing intervals', () => {
    answer = refuse
    refuse()
    clock.advance(80_000)
    expect(tries).toEqual([5, 15, 35, 75])
  })

  it('is tried at growing intervals also where it may be declared, and is refused only then', () => {
    answer = () => {
      refusals.clear('q')
      clock.setTimer(refuse, 10)
    }
    refuse()
    clock.advance(80_000)
    expect(tries.map(Math.round)).toEqual([5, 15, 35, 75])
  })

  it('is tried soon again when it was served for a while', () => {
    answer = () => {
      refusals.clear('q')
      clock.setTimer(refuse, 5_000)
    }
    refuse()
    clock.advance(40_000)
    expect(tries).toEqual([5, 15, 25, 35])
  })

  it('is tried no more when each try costs the connection', () => {
    refuse(true)
    clock.advance(1_000_000)
    expect(tries).toEqual([])
    expect(refusals.reasons).toEqual(['queue q is not consumed: no'])
  })

  it('is tried at the longest interval when each try costs the connection, but the next may go well', () => {
    const refuseForNow = (): void => refusals.add('q', new QueueRefused('no', true, undefined, true))
    answer = refuseForNow
    refuseForNow()
    clock.advance(1_000_000)
    expect(tries).toEqual([300, 600, 900])
  })

  it('keeps its reason and its interval while there is no connection to try it on', () => {
    answer = () => refusals.add('q', new BrokerError('not connected'))
    refuse()
    clock.advance(20_000)
    expect(tries).toEqual([5, 10, 15, 20])
    expect(refusals.reasons).toEqual(['queue q is not consumed: no'])
    answer = refuse
    clock.advance(20_000)
    expect(tries).toEqual([5, 10, 15, 20, 25, 35])
  })

  it('is tried no more once it is stopped, also where a try was under way', () => {
    answer = refuse
    refuse()
    refusals.stop()
    refuse()
    clock.advance(1_000_000)
    expect(tries).toEqual([])
  })
})
