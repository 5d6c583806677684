import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { loopWatch } from '../../lib/scaling/loopWatch.js'
import { bestOf } from '../support/rounds.js'

it('tells of a busy loop and of an idle one, each from the last time on', async () => {
  const utilisation = loopWatch()
  const busy = async (): Promise<number> => {
    await sleep(0)
    utilisation()
    const until = performance.now() + 50
    while (performance.now() < until);
    await sleep(1)
    return utilisation()
  }
  const idle = async (): Promise<number> => {
    utilisation()
    await sleep(100)
    return utilisation()
  }
  expect(await bestOf(20, busy, (share) => share > 0.5)).toBeGreaterThan(0.5)
  expect(await bestOf(20, idle, (share) => share < 0.5)).toBeLessThan(0.5)
})
