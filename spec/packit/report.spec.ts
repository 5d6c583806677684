import { describe, expect, it } from '@jest/globals'
import type { ModeResult } from './mode.js'
import { conclusion, faults, type Results, table } from './report.js'

const CLEAN = { messages: 2400, inversions: 0, overlaps: 0, lost: 0, repeated: 0, retried: 120 }
const result = (name: ModeResult['mode']['name'], slots: number, maxSlots: number, wallMs: number): ModeResult => ({
  mode: { name, slots, maxSlots, options: [], env: {} },
  wallMs,
  verdict: CLEAN,
  samples: [],
})
const good: Results = {
  unordered: { ...result('unordered', 8, 8, 4000), verdict: { ...CLEAN, inversions: 1100, overlaps: 900 } },
  serial: { ...result('serial', 1, 1, 28_000), verdict: { ...CLEAN, inversions: 118 } },
  ordered: result('ordered', 1, 8, 4100),
}
const orderedWith = (wrong: Partial<ModeResult['verdict']>): Results => ({
  ...good,
  ordered: { ...good.ordered, verdict: { ...CLEAN, ...wrong } },
})

describe('the report', () => {
  it('is a table of the three modes', () => {
    expect(table(good)).toEqual([
      'mode         slots   wall time   vs serial   inversions   overlaps   lost   repeated',
      'unordered        8       4.0 s        7.0x         1100        900      0          0',
      'serial           1      28.0 s        1.0x          118          0      0          0',
      'ordered     1 to 8       4.1 s        6.8x            0          0      0          0',
    ])
  })

  it('has no faults, and a sentence, where the keys kept the order and the slots were fast', () => {
    expect(faults(good)).toEqual([])
    expect(conclusion(good)).toMatch(/6\.8 times as fast as one slot.*1100 of 2400 messages too early/)
  })

  it.each([
    ['inversions', /1 messages ran too early/],
    ['overlaps', /1 messages ran beside/],
    ['lost', /1 messages were lost/],
  ] as const)('fails on one of the %s of the ordered run', (count, text) => {
    expect(faults(orderedWith({ [count]: 1 }))).toEqual([expect.stringMatching(text)])
  })

  it('does not fail on a repeat, which a broker may cause', () => {
    expect(faults(orderedWith({ repeated: 1 }))).toEqual([])
  })

  it('fails where the slots are half as fast as without keys, or less', () => {
    expect(faults({ ...good, ordered: { ...good.ordered, wallMs: 8000 } })).toEqual([])
    expect(faults({ ...good, ordered: { ...good.ordered, wallMs: 8001 } })).toEqual([
      expect.stringMatching(/3\.5 times as fast .* should be 3\.5 or more/),
    ])
  })

  it('asks for no more than five times as fast as one slot', () => {
    const quick = { ...good, unordered: { ...good.unordered, wallMs: 2000 } }
    expect(faults({ ...quick, ordered: { ...good.ordered, wallMs: 5600 } })).toEqual([])
    expect(faults({ ...quick, ordered: { ...good.ordered, wallMs: 5601 } })).toEqual([
      expect.stringMatching(/5\.0 times as fast .* should be 5\.0 or more/),
    ])
  })

  it('fails where nothing went wrong without keys', () => {
    expect(faults({ ...good, unordered: { ...good.unordered, verdict: CLEAN } })).toEqual([
      expect.stringMatching(/no test/),
    ])
  })
})
