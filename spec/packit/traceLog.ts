import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import type { Hop, Kind } from './message.js'

/** How a run ended. */
export type RunOutcome = 'success' | 'retry' | 'aborted' | 'failure'

/** A line in the trace: a handler begins or ends. */
export interface TraceRecord {
  readonly type: 'begin' | 'end'
  /** Wall clock, in milliseconds since the epoch. */
  readonly at: number
  /** The worker's process. */
  readonly pid: number
  readonly hop: Hop
  readonly key: string | null
  readonly kind: Kind
  /** The message's identity: `Sim.id`. */
  readonly id: string
  readonly retries: number
  /** Null at the begin. */
  readonly outcome: RunOutcome | null
}

/**
 * Appends records to a file as JSON lines, each with one synchronous write: what a killed process did up to its last moment is
 * there, and lines of several processes stand in the order in which things happened.
 * @returns does nothing if there is no path
 */
export function openTraceLog(path: string | undefined): (record: TraceRecord) => void {
  if (path === undefined || path === '') return () => undefined
  const file = openSync(path, 'a')
  return (record) => {
    writeSync(file, `${JSON.stringify(record)}\n`)
  }
}

/** Reads a trace while it is written. */
export class TraceReader {
  readonly records: TraceRecord[] = []
  private readonly file: number
  private readonly buffer = Buffer.alloc(64 * 1024)
  private readonly decoder = new StringDecoder('utf8')
  private offset = 0
  private rest = ''

  constructor(path: string) {
    this.file = openSync(path, 'a+')
  }

  /** The records that were added since the last call; a line that isn't whole yet waits for the next. */
  poll(): TraceRecord[] {
    const added: TraceRecord[] = []
    for (;;) {
      const size = readSync(this.file, this.buffer, 0, this.buffer.length, this.offset)
      if (size === 0) break
      this.offset += size
      const lines = (this.rest + this.decoder.write(this.buffer.subarray(0, size))).split('\n')
      this.rest = lines.pop() ?? ''
      added.push(...lines.map((line) => JSON.parse(line) as TraceRecord))
    }
    this.records.push(...added)
    return added
  }

  close(): void {
    closeSync(this.file)
  }
}
