import { describe, expect, it } from '@jest/globals'
import { type FleetResult, fleetFaults, fleetTable } from './fleetDemo.js'

const CLEAN = { messages: 2400, inversions: 0, overlaps: 0, lost: 0, repeated: 0, retried: 120 }
const plain: FleetResult = {
  name: 'plain',
  workers: 2,
  changes: 0,
  wallMs: 9000,
  verdict: { ...CLEAN, inversions: 500, overlaps: 400 },
}
const fleet: FleetResult = { name: 'fleet', workers: 3, changes: 4, wallMs: 8000, verdict: CLEAN }

describe('the report on a fleet', () => {
  it('is a table of the two ways', () => {
    expect(fleetTable([plain, fleet]).map((line) => line.trimEnd())).toEqual([
      'mode    workers         wall time   inversions   overlaps   lost   repeated',
      'plain   2               9.0 s       500          400        0      0',
      'fleet   3, 4 replaced   8.0 s       0            0          0      0',
    ])
  })

  it('has no faults where the fleet kept the order and the plain workers broke it', () => {
    expect(fleetFaults([plain, fleet])).toEqual([])
  })

  it.each([
    ['inversions', /1 messages ran too early/],
    ['overlaps', /1 messages ran beside/],
    ['lost', /1 messages were lost/],
  ] as const)('fails on one of the %s of the fleet', (count, text) => {
    const worse = { ...fleet, verdict: { ...CLEAN, [count]: 1 } }
    expect(fleetFaults([plain, worse])).toEqual([expect.stringMatching(text)])
  })

  it('fails where it was no test', () => {
    expect(fleetFaults([{ ...plain, verdict: CLEAN }, fleet])).toEqual([expect.stringMatching(/no test/)])
    expect(fleetFaults([plain, { ...fleet, changes: 0 }])).toEqual([expect.stringMatching(/was replaced/)])
  })
})
