import { describe, expect, it } from '@jest/globals'
import { generate } from './generator.js'
import { type Hop, hopsOf, type PackitMessage, TASK } from './message.js'
import { judge } from './oracle.js'
import type { RunOutcome, TraceRecord } from './traceLog.js'
import { PRESETS } from './workload.js'

/** A trace by hand: `begin('s1')`, `end('s1', 'retry')`, in the order in which things happened. */
const record = (type: 'begin' | 'end', id: string, outcome: RunOutcome | null, hop: Hop, pid: number): TraceRecord => ({
  type,
  at: 0,
  pid,
  hop,
  key: null,
  kind: 'other',
  id,
  retries: 0,
  outcome,
})
const begin = (id: string, hop: Hop = 1, pid = 1): TraceRecord => record('begin', id, null, hop, pid)
const end = (id: string, outcome: RunOutcome = 'success', hop: Hop = 1, pid = 1): TraceRecord =>
  record('end', id, outcome, hop, pid)
const run = (id: string, outcome: RunOutcome = 'success', hop: Hop = 1): TraceRecord[] => [
  begin(id, hop),
  end(id, outcome, hop),
]

/** A message of hop 1 that leads to nothing. */
const message = (id: string, key = 'k'): PackitMessage => ({
  task: TASK.process,
  args: [],
  kwargs: { event_type: 'results' },
  queue: 'short-running',
  key,
  kind: 'other',
  atMs: 0,
  sim: { id, run_ms: 1, fail: 0, dup: false, hop: 1 },
})
const build = (id: string, key = 'k'): PackitMessage => ({
  ...message(id, key),
  kwargs: { event_type: 'copr.build.start' },
})
const atHop2 = (id: string, key = 'k'): PackitMessage => ({
  ...message(id, key),
  task: TASK.end,
  sim: { ...message(id).sim, hop: 2 },
})

const start = message('s')
const finish = message('e')
const NONE = { messages: 2, inversions: 0, overlaps: 0, lost: 0, repeated: 0, retried: 0 }

describe('judge', () => {
  it('finds nothing in a perfect trace of both hops', () => {
    const messages = generate({ ...PRESETS.life, failStartFraction: 0.5, seed: 5 })
    const hops: Hop[] = [1, 2]
    const trace = hops.flatMap((hop) =>
      messages
        .filter((each) => hopsOf(each).includes(hop))
        .flatMap(({ sim }) => [...(sim.fail > 0 ? run(sim.id, 'retry', hop) : []), ...run(sim.id, 'success', hop)]),
    )
    const { total } = judge(messages, trace)
    expect(total).toMatchObject({ inversions: 0, overlaps: 0, lost: 0, repeated: 0 })
    expect(total.messages).toBe(messages.reduce((sum, each) => sum + hopsOf(each).length, 0))
    expect(total.retried).toBeGreaterThan(100)
  })

  it('finds nothing where messages of different keys run at the same time', () => {
    const trace = [begin('s'), begin('e'), end('e'), end('s')]
    expect(judge([start, message('e', 'other')], trace).hops[1]).toEqual(NONE)
  })

  it('finds an inversion where the later message runs first', () => {
    expect(judge([start, finish], [...run('e'), ...run('s')]).hops[1]).toEqual({ ...NONE, inversions: 1 })
  })

  it('finds an inversion and an overlap where the later message begins while the earlier one runs', () => {
    const trace = [begin('s'), begin('e'), end('s'), end('e')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, inversions: 1, overlaps: 1 })
  })

  it('finds them where the earlier message runs within the later one', () => {
    const trace = [begin('e'), begin('s'), end('s'), end('e')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, inversions: 1, overlaps: 1 })
  })

  it('finds an inversion where the later message runs between a failed start and its retry', () => {
    const trace = [...run('s', 'retry'), ...run('e'), ...run('s')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, inversions: 1, retried: 1 })
  })

  it('finds nothing where the later message waits for the retry', () => {
    const trace = [...run('s', 'retry'), ...run('s'), ...run('e')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, retried: 1 })
  })

  it('finds a loss where a message never runs, and an inversion in the one that ran without it', () => {
    expect(judge([start, finish], run('e')).hops[1]).toEqual({ ...NONE, inversions: 1, lost: 1 })
    expect(judge([start, finish], run('s')).hops[1]).toEqual({ ...NONE, lost: 1 })
  })

  it('finds a loss where no run succeeds', () => {
    const trace = [...run('s'), ...run('e', 'retry'), ...run('e', 'failure')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, lost: 1, retried: 1 })
  })

  it('finds a repeat where a message succeeds twice', () => {
    expect(judge([start, finish], [...run('s'), ...run('s'), ...run('e')]).hops[1]).toEqual({ ...NONE, repeated: 1 })
  })

  it('finds an inversion where an earlier message is repeated after the later one', () => {
    const trace = [...run('s'), ...run('e'), ...run('s')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, inversions: 1, repeated: 1 })
  })

  it('finds no inversion where both are repeated in their order, as after a crash', () => {
    const trace = [...run('s'), ...run('e'), ...run('s'), ...run('e')]
    expect(judge([start, finish], trace).hops[1]).toEqual({ ...NONE, repeated: 2 })
  })

  it('takes a run without an end to last until the last record of its process', () => {
    const killed = [begin('s', 1, 1), ...run('x')]
    const restarted = [begin('s', 1, 2), end('s', 'success', 1, 2), begin('e', 1, 2), end('e', 'success', 1, 2)]
    const messages = [start, finish, message('x', 'other')]
    expect(judge(messages, [...killed, ...restarted]).hops[1]).toEqual({ ...NONE, messages: 3 })
    const tooEarly = [begin('s', 1, 1), begin('e', 1, 1), ...run('x')]
    expect(judge(messages, [...tooEarly, ...restarted]).hops[1]).toEqual({
      ...NONE,
      messages: 3,
      inversions: 1,
      overlaps: 1,
    })
  })

  it('counts a message once, however often it is inverted or overlaps', () => {
    const third = message('t')
    const trace = [
      begin('s'),
      begin('e'),
      begin('t'),
      end('s', 'retry'),
      end('t', 'retry'),
      begin('t'),
      end('t'),
      end('e'),
      ...run('s'),
    ]
    expect(judge([start, finish, third], trace).hops[1]).toEqual({
      messages: 3,
      inversions: 2,
      overlaps: 2,
      lost: 0,
      repeated: 0,
      retried: 2,
    })
  })

  it('judges the hops apart, and takes the order of hop 2 from hop 1', () => {
    const trace = [...run('s'), ...run('e'), ...run('e', 'success', 2), ...run('s', 'success', 2)]
    const { hops, total } = judge([build('s'), build('e')], trace)
    expect(hops).toEqual({ 1: NONE, 2: { ...NONE, inversions: 1 } })
    expect(total).toEqual({ ...NONE, messages: 4, inversions: 1 })
  })

  it('finds the loss at hop 2 of what only ran at hop 1', () => {
    expect(judge([build('s')], run('s')).hops[2]).toEqual({ ...NONE, messages: 1, lost: 1 })
  })

  it('lets a message that was published at hop 2 run before or after the others, but not beside them', () => {
    const messages = [build('s'), atHop2('w')]
    const alone = [...run('w', 'success', 2), ...run('s'), ...run('s', 'success', 2)]
    expect(judge(messages, alone).hops[2]).toEqual(NONE)
    const beside = [...run('s'), begin('s', 2), begin('w', 2), end('s', 'success', 2), end('w', 'success', 2)]
    expect(judge(messages, beside).hops[2]).toEqual({ ...NONE, overlaps: 1 })
  })
})
