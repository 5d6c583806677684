/** What was seen at one moment. */
export interface Sample {
  /** Milliseconds since the run began. */
  readonly atMs: number
  /** Messages ready in the queue. */
  readonly depth: number
  readonly slots: number
}

const BLOCKS = ' ▁▂▃▄▅▆▇█'

/**
 * Queue depth and slots over time, as lines for the terminal: one row of blocks each, the full block being the row's peak.
 * @param samples in order of time
 * @param width columns for the blocks
 */
export function chart(samples: readonly Sample[], width: number): string[] {
  const endMs = samples.at(-1)?.atMs ?? 0
  const depth = columns(samples, (sample) => sample.depth, endMs, width)
  const slots = columns(samples, (sample) => sample.slots, endMs, width)
  const seconds = `${(endMs / 1000).toFixed(1)} s`
  return [
    `depth ${blocks(depth)} peak ${Math.max(0, ...depth)}`,
    `slots ${blocks(slots)} peak ${Math.max(0, ...slots)}`,
    `      0 s${seconds.padStart(Math.max(1, width - 3))}`,
  ]
}

/** The peak of each column's time; a column without a sample goes on as the one before ended. */
function columns(samples: readonly Sample[], read: (sample: Sample) => number, endMs: number, width: number): number[] {
  const peaks = new Map<number, number>()
  const lasts = new Map<number, number>()
  for (const sample of samples) {
    const column = endMs === 0 ? 0 : Math.min(width - 1, Math.floor((sample.atMs / endMs) * width))
    peaks.set(column, Math.max(peaks.get(column) ?? 0, read(sample)))
    lasts.set(column, read(sample))
  }
  let last = 0
  return Array.from({ length: width }, (_, column) => {
    const peak = peaks.get(column) ?? last
    last = lasts.get(column) ?? last
    return peak
  })
}

/** Zero is blank; anything above shows at least the lowest block. */
function blocks(values: readonly number[]): string {
  const peak = Math.max(1, ...values)
  return values.map((value) => BLOCKS[Math.ceil((value / peak) * (BLOCKS.length - 1))]).join('')
}
