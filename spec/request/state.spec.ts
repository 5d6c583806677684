import { describe, expect, it } from '@jest/globals'
import type { Request } from '../../lib/request/request.js'
import { WorkerState } from '../../lib/request/state.js'

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
      const request: Partial<Request> = { key, state: 'received', delivery: { live } as Request['delivery'] }
      state.add(request as Request)
    }
    expect(state.hasSplitKey()).toBe(isSplit)
  })
})
