import { beforeEach, describe, expect, it } from '@jest/globals'
import { Holders } from '../../lib/fleet/holders.js'
import { type Deferred, deferred } from '../../lib/listeners.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('the lanes of a worker', () => {
  let asked: string[]
  let answers: Map<string, Deferred<void>>
  let clock: FakeClock
  let holders: Holders

  const ask = (what: string, lane: number): Promise<void> => {
    asked.push(`${what} ${lane}`)
    const answer = deferred<void>()
    answers.set(`${what} ${lane}`, answer)
    return answer.promise
  }
  const settle = async (what: string, error?: Error): Promise<void> => {
    if (error) answers.get(what)?.reject(error)
    else answers.get(what)?.resolve()
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }

  beforeEach(() => {
    asked = []
    answers = new Map()
    clock = new FakeClock()
    holders = new Holders({
      clock,
      log: new MemoryLog(),
      keeper: {
        open: (lane) => ask('open', lane),
        drain: (lane) => ask('drain', lane),
        close: (lane) => ask('close', lane),
      },
    })
  })

  it('are opened, drained, closed, in this order', async () => {
    holders.want([1, 2])
    await settle('open 1')
    holders.want([2])
    await settle('drain 1')
    await settle('close 1')
    expect(asked).toEqual(['open 1', 'open 2', 'drain 1', 'close 1'])
    expect([...holders.phases]).toEqual([[2, 'opening']])
  })

  it('are opened again if they are wanted again while they drain, but only once they are closed', async () => {
    holders.want([1])
    await settle('open 1')
    holders.want([])
    holders.want([1])
    await settle('drain 1')
    expect(asked).toEqual(['open 1', 'drain 1', 'close 1'])
    await settle('close 1')
    expect(asked.at(-1)).toBe('open 1')
  })

  it('are taken again after a loss if they are still wanted, and forgotten if not', async () => {
    holders.want([1, 2])
    await settle('open 1')
    await settle('open 2')
    holders.want([1])
    holders.lost()
    expect(asked.slice(2)).toEqual(['drain 2', 'open 1', 'close 2'])
    await settle('open 1')
    expect([...holders.phases]).toEqual([[1, 'held']])
  })

  it('are not closed by the end of what was drained before a loss', async () => {
    holders.want([1])
    await settle('open 1')
    holders.want([])
    const drained = answers.get('drain 1')
    holders.lost()
    holders.want([1])
    await settle('open 1')
    holders.want([])
    const before = [...asked]
    drained?.resolve()
    await settle('nothing')
    expect(asked).toEqual(before)
    await settle('drain 1')
    expect(asked.at(-1)).toBe('close 1')
  })

  it('can be opened when they are wanted again after a refusal that nobody minded', async () => {
    holders.want([1])
    holders.want([])
    await settle('open 1', new Error('refused'))
    expect(holders.phases.size).toBe(0)
    holders.want([1])
    await settle('open 1')
    expect([...holders.phases]).toEqual([[1, 'held']])
  })

  it('are tried again after 5 s when the broker refuses one', async () => {
    holders.want([1])
    await settle('open 1', new Error('refused'))
    expect(asked).toEqual(['open 1'])
    clock.advance(5000)
    await settle('nothing')
    expect(asked).toEqual(['open 1', 'open 1'])
  })
})
