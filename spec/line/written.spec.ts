import { describe, expect, it } from '@jest/globals'
import { written } from '../../lib/line/written.js'
import type { Request } from '../../lib/request/request.js'
import { StopLimit } from '../../lib/stopLimit.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

const LIMIT_MS = 10_000

describe('the wait for an acknowledgement', () => {
  const request = (writing: Promise<void> | null): Request => {
    const part: Partial<Request> = { delivery: { writing } as Request['delivery'] }
    return Object.defineProperty(part, 'label', { value: 't[a]' }) as Request
  }

  it('ends when that is written', async () => {
    const log = new MemoryLog()
    await written(request(Promise.resolve()), new StopLimit(new FakeClock(), LIMIT_MS), log)
    await written(request(null), undefined, log)
    expect(log.lines).toEqual([])
  })

  it('ends in a stop although the broker does not answer', async () => {
    const clock = new FakeClock()
    const limit = new StopLimit(clock, LIMIT_MS)
    const log = new MemoryLog()
    let isOver = false
    const wait = written(request(new Promise(() => undefined)), limit, log).then(() => {
      isOver = true
    })
    clock.advance(LIMIT_MS * 10)
    await new Promise(setImmediate)
    expect(isOver).toBe(false)
    limit.begin()
    clock.advance(LIMIT_MS)
    await wait
    expect(log.of('WARNING')).toEqual(['The message of t[a] could not be acknowledged: the broker does not answer'])
  })
})
