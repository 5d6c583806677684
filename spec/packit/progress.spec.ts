import { expect, it } from '@jest/globals'
import { generate } from './generator.js'
import { Progress } from './progress.js'
import type { RunOutcome, TraceRecord } from './traceLog.js'
import { PRESETS } from './workload.js'

const ended = (hop: 1 | 2, id: string, at: number, outcome: RunOutcome | null = 'success'): TraceRecord => ({
  type: outcome === null ? 'begin' : 'end',
  at,
  pid: 1,
  hop,
  key: null,
  kind: 'other',
  id,
  retries: 0,
  outcome,
})

it('Progress counts each message once per hop, when it has finished, and knows when that was', () => {
  const messages = generate(PRESETS.seed375)
  const progress = new Progress(messages)
  const id = messages[0]?.sim.id ?? ''
  expect(progress.total).toBe(12)
  progress.add([ended(1, id, 10, null), ended(1, id, 20, 'retry')])
  expect(progress.done).toBe(0)
  progress.add([ended(1, id, 30), ended(1, id, 40), ended(2, id, 50), ended(2, id, 60, 'failure')])
  expect(progress.done).toBe(2)
  expect(progress.lastAt).toBe(50)
})
