import { describe, expect, it } from '@jest/globals'
import type { Findings } from './findings.js'
import { number } from './number.js'
import { picture } from './picture.js'
import { conclusion, json, lines, type Outcome, type Report, withEarlier } from './report.js'
import { summarize } from './statistics.js'

const FINDINGS: Findings = {
  rows: [
    { entrant: 'Celeriac', unit: 'tasks/s', ...summarize([9000, 10_000, 11_000]) },
    { entrant: 'Celery prefork', unit: 'tasks/s', ...summarize([4000, 4000, 4000]) },
  ],
  figures: [
    {
      what: 'Celeriac / Celery prefork',
      label: 'no-op & nothing: vs prefork',
      unit: 'x',
      target: { atLeast: 3 },
      ...summarize([2.25, 2.5, 2.75]),
    },
    { what: 'memory', label: 'memory', unit: 'MB', target: { atMost: 150 }, ...summarize([75]) },
    { what: 'lost', label: 'lost', unit: '', target: { atMost: 0 }, ...summarize([0]) },
  ],
  note: 'a note',
}
const RUN: Outcome = { name: 'noop', title: 'no-op & nothing', findings: FINDINGS, error: null, seconds: 12.4 }
const FAILED: Outcome = { name: 'rpc', title: 'rpc', findings: null, error: 'no worker', seconds: 1 }

function report(outcomes: readonly Outcome[], quick = false): Report {
  return { date: '2026-01-02', machine: 'a machine', quick, outcomes }
}

describe('the report', () => {
  it('keeps what was found before of cases that were not run again, on the same machine and in the same counts', () => {
    const again: Outcome = { ...RUN, seconds: 9 }
    const earlier = report([RUN, FAILED])
    expect(withEarlier(report([again]), earlier).outcomes).toEqual([again, FAILED])
    expect(withEarlier({ ...report([again]), machine: 'another' }, earlier).outcomes).toEqual([again])
    expect(withEarlier(report([again], true), earlier).outcomes).toEqual([again])
  })

  it('lists what was measured, and each figure with its target and verdict', () => {
    expect(lines(RUN, false)).toEqual([
      'no-op & nothing  (12 s)',
      '  Celeriac        10,000  tasks/s  (9,000 to 11,000)',
      '  Celery prefork   4,000  tasks/s  (4,000 to 4,000)',
      '  = Celeriac / Celery prefork  2.5 x      (2.25 to 2.75)  target >= 3 x     SHORT',
      '  = memory                        75  MB                  target <= 150 MB  reached',
      '  = lost                           0                      target <= 0       reached',
      '  a note',
    ])
  })

  it('does not judge a quick run', () => {
    expect(lines(RUN, true).filter((line) => /SHORT|reached/.test(line))).toEqual([])
    expect(conclusion(report([RUN], true))).toBe('3 figures, not judged.')
    expect(JSON.parse(json(report([RUN], true))).outcomes[0].findings.figures[0].reached).toBeNull()
  })

  it('says why a case could not be run', () => {
    expect(lines(FAILED, false)).toEqual(['rpc  (1 s)', "  couldn't be run: no worker"])
    expect(conclusion(report([RUN, FAILED]))).toBe("2 of 3 figures reach their targets; 1 cases couldn't be run.")
  })

  it('writes every round as JSON, rounded to five digits', () => {
    const third = { ...FINDINGS, figures: [], rows: [{ entrant: 'a', unit: 'ms', ...summarize([1 / 3]) }] }
    const { outcomes, machine } = JSON.parse(json(report([{ ...RUN, findings: third }, FAILED])))
    expect(machine).toBe('a machine')
    expect(outcomes[0].findings.rows[0]).toEqual({
      entrant: 'a',
      unit: 'ms',
      median: 0.33333,
      lowest: 0.33333,
      highest: 0.33333,
      rounds: [0.33333],
    })
    expect(json(report([{ ...RUN, findings: third }]))).toContain('"rounds": [0.33333]\n')
    expect(json(report([RUN]))).toContain('"rounds": [9000, 10000, 11000]\n')
    expect(outcomes[1]).toEqual({ name: 'rpc', title: 'rpc', findings: null, error: 'no worker', seconds: 1 })
    expect(JSON.parse(json(report([RUN]))).outcomes[0].findings.figures[0].reached).toBe(false)
  })

  it.each([
    [0.0664, '0.0664'],
    [0.85, '0.85'],
    [12.345, '12.3'],
    [99.96, '100'],
    [12_345.6, '12,346'],
    [0, '0'],
  ])('writes %d as %s', (value, text) => {
    expect(number(value)).toBe(text)
  })
})

describe('the picture', () => {
  const svg = picture(report([RUN, FAILED]))
  const bars = [...svg.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)]
  const mark = Number(/<line class="line" x1="([\d.]+)"/.exec(svg)?.[1])

  it('has a bar for each figure with a unit, and tells those that fall short', () => {
    expect(bars.map((found) => found[1])).toEqual(['short', 'reached'])
  })

  it('ends a bar before the mark in proportion to what is missing', () => {
    const [left, width] = [Number(bars[0]?.[2]), Number(bars[0]?.[3])]
    expect(width / (mark - left)).toBeCloseTo(2.5 / 3, 2)
  })

  it('draws twice as good as needed twice as long as the way to the mark', () => {
    const [left, width] = [Number(bars[1]?.[2]), Number(bars[1]?.[3])]
    expect(width / (mark - left)).toBeCloseTo(2, 2)
  })

  it('escapes what it prints, and has colours for dark pages, too', () => {
    expect(svg).toContain('no-op &amp; nothing')
    expect(svg).not.toContain('& nothing')
    expect(svg).toContain('prefers-color-scheme: dark')
  })
})
