/*
 * Ends threads while they load what runs in them, at every moment of it: endedThreads.js ENTRY COUNT. Prints the count, if it lives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Piscina } from 'piscina'

const AT_ONCE = 2
const STEP_MS = 7
const LONGEST_MS = 240

const [filename = '', count = '0'] = process.argv.slice(2)
let begun = 0

async function endSome(): Promise<void> {
  while (begun < Number(count)) {
    const afterMs = (begun++ * STEP_MS) % LONGEST_MS
    const piscina = new Piscina({ filename, minThreads: 1, maxThreads: 1 })
    piscina.on('error', () => undefined)
    await sleep(afterMs)
    await piscina.destroy().catch(() => undefined)
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, endSome))
console.log(count)
