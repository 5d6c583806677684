import { expect } from '@jest/globals'
import type { Report } from '../apps/embedded.js'
import { runProgram } from './program.js'
import { ROOT } from './workerProgram.js'

/** Runs `spec/apps/embedded.ts`, and expects that it leaves nothing behind. @param growth bytes that the heap may grow by in a round of the second half */
export async function expectNothingLeft(
  brokerUrl: string,
  queues: readonly [string, string],
  rounds: number,
  growth: number,
): Promise<void> {
  const args = ['--expose-gc', 'build/apps/embedded.js', brokerUrl, ...queues, String(rounds)]
  const program = runProgram(process.execPath, args, { cwd: ROOT })
  const { code } = await program.exited
  expect({ code, stderr: program.stderr }).toEqual({ code: 0, stderr: '' })
  const { after, before, heap, warnings } = JSON.parse(program.stdout) as Report
  expect(after).toEqual(before)
  expect(warnings).toEqual([])
  expect(heap).toHaveLength(rounds)
  const half = rounds / 2
  const tenth = Math.ceil(rounds / 10)
  const grown = mean(heap.slice(-tenth)) - mean(heap.slice(half - tenth, half))
  expect(grown / half).toBeLessThan(growth)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
