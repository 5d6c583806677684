import { expect, it } from '@jest/globals'
import { loopWatch } from '../../lib/pool/loopWatch.js'

it('tells of a busy loop and of an idle one, each from the last time on', async () => {
  const utilisation = loopWatch()
  await new Promise((resolve) => setTimeout(resolve, 0))
  utilisation()
  const until = performance.now() + 50
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 1))
  expect(utilisation()).toBeGreaterThan(0.5)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(utilisation()).toBeLessThan(0.5)
})
