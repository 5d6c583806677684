import { describe, expect, it } from '@jest/globals'
import type { Step } from '../support/steps.js'
import { judge } from './judge.js'

const EVENTS = { b: 'begin', e: 'end', a: 'abort' } as const

/** `1b2`: message 2 begins in process 1; `1e2` ends it, and `1a2@0` was stopped at time 0, which is that of the first step. Messages 1, 2 and 3 have one key. */
function verdictOn(text: string) {
  let at = 0
  const steps = text.split(' ').map((word): Step => {
    const [pid, event, n, , stoppedAt] = [...word]
    return { event: EVENTS[event as 'b'], n: Number(n), key: 'k', at: Number(stoppedAt ?? at++), pid: Number(pid) }
  })
  const { inversions, lost, overlaps, repeated } = judge(steps, new Map([['k', [1, 2, 3]]]))
  return { inversions: inversions.length, lost: lost.length, overlaps: overlaps.length, repeated: repeated.length }
}

const FINE = { inversions: 0, lost: 0, overlaps: 0, repeated: 0 }

describe('the judge of a trace of several workers', () => {
  it.each([
    ['all in order', '1b1 1e1 2b2 2e2 1b3 1e3', FINE],
    ['two the wrong way round', '1b2 1e2 1b1 1e1 1b3 1e3', { ...FINE, inversions: 1 }],
    ['one beside the other, in another process', '1b1 2b2 1e1 2e2 1b3 1e3', { ...FINE, inversions: 1, overlaps: 1 }],
    ['one that was killed and repeated', '1b1 1e1 1b2 2b2 2e2 2b3 2e3', { ...FINE, repeated: 1 }],
    [
      'one repeated while the first run goes on',
      '1b1 2b1 1e1 2e1 1b2 1e2 1b3 1e3',
      { ...FINE, overlaps: 1, repeated: 1 },
    ],
    [
      'one repeated after its successor, which is not repeated',
      '1b1 1e1 1b2 1e2 2b1 2e1 1b3 1e3',
      { ...FINE, inversions: 1, repeated: 1 },
    ],
    ['several repeated in their order', '1b1 1e1 1b2 1e2 2b1 2e1 2b2 2e2 2b3 2e3', { ...FINE, repeated: 2 }],
    ['one that heeded its signal and was repeated', '1b1 1e1 1b2 1a2 2b2 2e2 2b3 2e3', { ...FINE, repeated: 1 }],
    [
      'one repeated before the first run heeds its signal',
      '1b1 2b1 2e1 1a1 1b2 1e2 1b3 1e3',
      { ...FINE, overlaps: 1, repeated: 1 },
    ],
    ['one that tells late that it was stopped', '1b1 2b1 2e1 1a1@0 1b2 1e2 1b3 1e3', { ...FINE, repeated: 1 }],
    ['one that never ends', '1b1 1e1 1b2 1e2 1b3', { ...FINE, lost: 1 }],
  ])('finds %s', (_, trace, expected) => {
    expect(verdictOn(trace)).toEqual(expected)
  })
})
