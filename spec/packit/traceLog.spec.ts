import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openTraceLog, TraceReader, type TraceRecord } from './traceLog.js'

const RECORD: TraceRecord = {
  type: 'begin',
  at: 1.5,
  pid: 7,
  hop: 1,
  key: 'copr:9:größe',
  kind: 'start',
  id: 'a',
  retries: 0,
  outcome: null,
}

describe('the trace log', () => {
  let directory: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-spec-'))
    path = join(directory, 'trace.jsonl')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('brings what several writers have written, in the order of writing, once', () => {
    const reader = new TraceReader(path)
    const [one, two] = [openTraceLog(path), openTraceLog(path)]
    one(RECORD)
    two({ ...RECORD, id: 'b' })
    one({ ...RECORD, id: 'c' })
    expect(reader.poll().map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    two({ ...RECORD, id: 'd' })
    expect(reader.poll()).toEqual([{ ...RECORD, id: 'd' }])
    expect(reader.poll()).toEqual([])
    expect(reader.records.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    reader.close()
  })

  it('waits for a line that is written by halves, even within a letter', () => {
    const reader = new TraceReader(path)
    const line = Buffer.from(`${JSON.stringify(RECORD)}\n`)
    const half = line.indexOf('ö') + 1
    appendFileSync(path, line.subarray(0, half))
    expect(reader.poll()).toEqual([])
    appendFileSync(path, line.subarray(half))
    expect(reader.poll()).toEqual([RECORD])
    reader.close()
  })

  it('reads more than one buffer', () => {
    const log = openTraceLog(path)
    for (let index = 0; index < 1000; index++) log({ ...RECORD, retries: index })
    const reader = new TraceReader(path)
    expect(reader.poll().map(({ retries }) => retries)).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    reader.close()
  })

  it('writes nothing without a path', () => {
    expect(() => openTraceLog(undefined)(RECORD)).not.toThrow()
    expect(() => openTraceLog('')(RECORD)).not.toThrow()
  })
})
