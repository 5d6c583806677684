import type { ModeResult } from './mode.js'

/** How many times as fast as one slot the ordered slots have to be, where the machine lets them. */
const LEAST_SPEEDUP = 5
/** And of what the same slots do without keys in the same run, which a busy machine slows down as well. */
const LEAST_SHARE = 0.5
const HEAD = ['mode', 'slots', 'wall time', 'vs serial', 'inversions', 'overlaps', 'lost', 'repeated']

/** The three modes, run on the same messages. */
export interface Results {
  readonly unordered: ModeResult
  readonly serial: ModeResult
  readonly ordered: ModeResult
}

/** The results as lines of a table. */
export function table(results: Results): string[] {
  const rows = [results.unordered, results.serial, results.ordered].map(({ mode, verdict, wallMs }) => [
    mode.name,
    mode.slots === mode.maxSlots ? `${mode.slots}` : `${mode.slots} to ${mode.maxSlots}`,
    `${(wallMs / 1000).toFixed(1)} s`,
    `${(results.serial.wallMs / wallMs).toFixed(1)}x`,
    `${verdict.inversions}`,
    `${verdict.overlaps}`,
    `${verdict.lost}`,
    `${verdict.repeated}`,
  ])
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   '),
  )
}

/** Why the demo proves nothing; empty if it does. */
export function faults({ ordered, serial, unordered }: Results): string[] {
  const { inversions, lost, overlaps } = ordered.verdict
  const found: string[] = []
  if (inversions > 0) found.push(`with keys, ${inversions} messages ran too early`)
  if (overlaps > 0) found.push(`with keys, ${overlaps} messages ran beside another of their key`)
  if (lost > 0) found.push(`with keys, ${lost} messages were lost`)
  const speedup = serial.wallMs / ordered.wallMs
  const least = Math.min(LEAST_SPEEDUP, (LEAST_SHARE * serial.wallMs) / unordered.wallMs)
  if (speedup < least) {
    found.push(
      `the ordered slots were ${speedup.toFixed(1)} times as fast as one slot, which should be ${least.toFixed(1)} or more`,
    )
  }
  if (unordered.verdict.inversions + unordered.verdict.overlaps === 0) {
    found.push('without keys nothing ran out of order either, so the messages were no test')
  }
  return found
}

/** What was shown, in a sentence. */
export function conclusion({ ordered, serial, unordered }: Results): string {
  const speedup = (serial.wallMs / ordered.wallMs).toFixed(1)
  return (
    `Up to ${ordered.mode.maxSlots} slots that follow the queue did the work ${speedup} times as fast as one slot, every build's messages in their order; ` +
    `the same number of slots without keys ran ${unordered.verdict.inversions} of ${unordered.verdict.messages} messages too early.`
  )
}
