import { existsSync, readFileSync } from 'node:fs'

export interface Step {
  /** `abort`: it heeded its signal; `at` is when it was last at work. */
  readonly event: 'begin' | 'end' | 'abort'
  readonly n: number
  readonly key: string
  readonly at: number
  readonly pid: number
}

/** The trace that `spec/apps/steps.ts` left so far. */
export function readSteps(file: string): Step[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  // The last piece is empty, or a line that is being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Step)
}

export function ended(steps: readonly Step[]): Set<number> {
  return new Set(steps.filter((step) => step.event === 'end').map((step) => step.n))
}

/**
 * Where the trace breaks the promise of order, given that `n` counts the messages in the order of their publication: a run that
 * began although a run of its key was going on in the same process, or although an earlier message of its key had not ended.
 */
export function inversions(steps: readonly Step[], published: ReadonlyMap<string, readonly number[]>): string[] {
  const faults: string[] = []
  const done = new Set<number>()
  const running = new Map<string, { n: number; pid: number }>()
  for (const step of steps) {
    if (step.event === 'abort') {
      running.delete(step.key)
      continue
    }
    if (step.event === 'end') {
      done.add(step.n)
      running.delete(step.key)
      continue
    }
    const beside = running.get(step.key)
    if (beside && beside.pid === step.pid) faults.push(`${step.n} of ${step.key} began while ${beside.n} was running`)
    const earlier = published.get(step.key)?.find((n) => n < step.n && !done.has(n))
    if (earlier !== undefined) faults.push(`${step.n} of ${step.key} began before ${earlier} had ended`)
    running.set(step.key, { n: step.n, pid: step.pid })
  }
  return faults
}
