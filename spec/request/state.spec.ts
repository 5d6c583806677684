import { describe, expect, it } from '@jest/globals'
import type { Request } from '../../lib/request/request.js'
import { WorkerState } from '../../lib/request/state.js'

describe('the worker', () => {
  it('counts what it has accepted by the names of its tasks, which are few', () => {
    const state = new WorkerState()
    for (let at = 0; at < 1000; at++) {
      const request = { name: `shadow ${at}`, task: { name: at % 4 ? 'often' : 'seldom' }, state: 'ready' }
      state.add(request as Request)
      state.move(request as Request, 'running')
    }
    expect(Object.fromEntries(state.totals)).toEqual({ often: 750, seldom: 250 })
  })
})

describe('an order key', () => {
  it.each([
    ['that has lost a message of one queue and holds one of another is split', ['k', false], ['k', true], true],
    ['all of whose messages are lost is not', ['k', false], ['k', false], false],
    ['that has lost a message of a key which it contains is split', ['k/a', false], ['k', true], true],
    ['that has lost a message of a key which contains it is split', ['k', false], ['k/a', true], true],
    ['is not split by what another key has lost', ['k', false], ['other', true], false],
    ['is not split where there is none', [null, false], [null, true], false],
  ] as const)('%s', (_what, first, second, isSplit) => {
    const state = new WorkerState()
    for (const [key, live] of [first, second]) {
      const delivery = { live } as Request['delivery']
      const request: Partial<Request> = { key, state: 'received', delivery }
      state.add(request as Request)
    }
    expect(state.hasSplitKey()).toBe(isSplit)
  })
})
