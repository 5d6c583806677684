import type { Step } from '../support/steps.js'

/** What went wrong with messages of which `n` counts the order of publication. */
export interface Verdict {
  /** Began before an earlier message of the key had ended, the first time or the last time that either ran. */
  readonly inversions: readonly string[]
  /** Began while a message of the key was running, wherever that was. */
  readonly overlaps: readonly string[]
  readonly lost: readonly number[]
  /** Ran more than once. */
  readonly repeated: readonly number[]
}

interface Run {
  readonly n: number
  readonly begin: number
  end: number
  isWhole: boolean
}

/**
 * Judges the trace that several processes have left in one file. A run without an end was killed with its process: it lasted at least to the
 * last that was heard of that.
 */
export function judge(steps: readonly Step[], published: ReadonlyMap<string, readonly number[]>): Verdict {
  const lastOf = new Map(steps.map(({ pid }, place) => [pid, place]))
  const runs = new Map<number, Run[]>()
  const open = new Map<string, Run>()
  for (const [place, { at, event, n, pid }] of steps.entries()) {
    if (event === 'begin') {
      const run: Run = { n, begin: place, end: lastOf.get(pid) ?? place, isWhole: false }
      open.set(`${pid} ${n}`, run)
      runs.set(n, [...(runs.get(n) ?? []), run])
      continue
    }
    const run = open.get(`${pid} ${n}`)
    if (run && event === 'abort') {
      // A process that stood still tells it late.
      run.end = steps.findLastIndex((step) => step.event !== 'abort' && step.at <= at)
      continue
    }
    if (run) Object.assign(run, { end: place, isWhole: true })
  }
  const verdict = {
    inversions: [] as string[],
    overlaps: [] as string[],
    lost: [] as number[],
    repeated: [] as number[],
  }
  for (const [key, numbers] of published) {
    let first = -1
    let last = -1
    for (const n of numbers) {
      const all = runs.get(n) ?? []
      const whole = all.filter(({ isWhole }) => isWhole)
      if (whole.length === 0) verdict.lost.push(n)
      if (all.length > 1) verdict.repeated.push(n)
      if (all.some(({ begin }) => begin < first) || (all.at(-1)?.begin ?? last) < last) {
        verdict.inversions.push(`${n} of ${key} began before an earlier one had ended`)
      }
      first = Math.max(first, whole[0]?.end ?? Number.POSITIVE_INFINITY)
      last = Math.max(last, whole.at(-1)?.end ?? Number.POSITIVE_INFINITY)
    }
    const ofKey = numbers.flatMap((n) => runs.get(n) ?? []).sort((one, other) => one.begin - other.begin)
    let until = ofKey[0]
    for (const run of ofKey.slice(1)) {
      if (until && run.begin < until.end) verdict.overlaps.push(`${run.n} of ${key} began while ${until.n} was running`)
      if (!until || run.end > until.end) until = run
    }
  }
  return verdict
}
