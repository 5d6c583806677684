import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fewSteps, type StepModel, steps } from './model/steps.js'
import { OrderWorld, type WorldOptions } from './model/world.js'

const RUNS = 500
/** The most of a run. fast-check draws how many there are, and not all are possible when their turn comes: more than 100 on average are. */
const STEPS = 400
/** Milliseconds: counterexamples are made small for as long as there is time, and a machine may be ten times as slow as another. */
const LONGEST = 600_000

/** A world for each run, in which the steps are made one after another. @param made counts them */
function worlds(
  commands: fc.Arbitrary<Iterable<fc.AsyncCommand<StepModel, OrderWorld>>>,
  without: WorldOptions['without'],
  made: StepModel = { count: 0 },
) {
  const slots = fc.integer({ min: 1, max: 6 })
  const prefetch = fc.constantFrom(1, 1, 2)
  return fc.asyncProperty(commands, slots, prefetch, fc.boolean(), async (commands, slots, prefetch, stops) => {
    const world = new OrderWorld({ slots, prefetch, without })
    await world.start()
    await fc.asyncModelRun(async () => ({ model: made, real: world }), commands)
    await (stops ? world.stop() : world.drain())
  })
}

/** @returns what is found amiss where a part of the worker is taken away */
async function faultWithout(part: WorldOptions['without']): Promise<string> {
  const commands = fc.commands([fewSteps], { maxCommands: 100, size: 'max' })
  const { errorInstance } = await fc.check(worlds(commands, part), { numRuns: RUNS, endOnFailure: true })
  return String(errorInstance)
}

describe('order', () => {
  it(
    'is kept, and nothing is lost, left behind or held up for nothing, whatever happens',
    async () => {
      const startedAt = performance.now()
      const made: StepModel = { count: 0 }
      const runs = worlds(fc.commands([steps], { maxCommands: STEPS, size: 'max' }), null, made)
      await fc.assert(runs, { numRuns: RUNS, interruptAfterTimeLimit: LONGEST, markInterruptAsFailure: true })
      const seconds = (performance.now() - startedAt) / 1000
      const average = Math.round(made.count / RUNS)
      process.stdout.write(`${RUNS} runs of ${average} steps on average in ${seconds.toFixed(1)} s\n`)
      expect(average).toBeGreaterThan(100)
    },
    1.5 * LONGEST,
  )

  it('would be broken if the worker did not wait until the broker knows that its last connection is lost', async () => {
    expect(await faultWithout('witness')).toMatch(
      /^Error: m\d+ (overtakes m\d+, which is (out|ready)|runs again after the end)/,
    )
  })

  it('would be broken if a message ran before the acknowledgement of the one before it is written', async () => {
    expect(await faultWithout('turns')).toMatch(/^Error: m\d+ (is done with before m\d+|runs again after the end)/)
  })
})
