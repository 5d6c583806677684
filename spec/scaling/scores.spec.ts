import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { scoreOf, tableOf } from './scores.js'
import { workloads } from './workloads.js'

const README = fileURLToPath(new URL('../README.md', import.meta.url))
const BEGIN = '<!-- scores -->'
const END = '<!-- /scores -->'

const scores = workloads().map(scoreOf)

describe('the score table', () => {
  it('is the same in spec/README.md', () => {
    const table = tableOf(scores)
    process.stdout.write(`${table}\n`)
    const text = readFileSync(README, 'utf8')
    const [before, rest = ''] = text.split(BEGIN)
    const [found, after] = rest.split(END)
    if (process.env.UPDATE_README === '1') writeFileSync(README, `${before}${BEGIN}\n${table}\n${END}${after}`)
    else expect(found?.trim()).toBe(table)
  })
})

describe.each(scores.map((score) => [score.workload.name, score] as const))('%s', (_, score) => {
  const { workload, celery, celeriac, oracle } = score
  const { targetWaitMs } = workload.bounds

  it('waits at most 1.1 times as long as the oracle', () => {
    expect(celeriac.p95WaitMs).toBeLessThanOrEqual(1.1 * oracle.p95WaitMs)
  })

  it("costs at most 1.3 times the oracle's slot-seconds", () => {
    expect(celeriac.slotSeconds).toBeLessThanOrEqual(1.3 * oracle.slotSeconds)
  })

  it("costs less than Celery's autoscaler, in fewer resizes, and waits no longer where that misses the target", () => {
    expect(celeriac.slotSeconds).toBeLessThan(celery.slotSeconds)
    expect(celeriac.resizes).toBeLessThan(celery.resizes)
    expect(celeriac.p95WaitMs).toBeLessThanOrEqual(1.1 * Math.max(celery.p95WaitMs, targetWaitMs))
  })

  it('is done by all workers alike', () => {
    const { completed } = celeriac
    expect(completed.reduce((sum, each) => sum + each, 0)).toBe(workload.arrivals.length)
    expect(Math.min(...completed)).toBeGreaterThanOrEqual(0.8 * Math.max(...completed))
  })
})
