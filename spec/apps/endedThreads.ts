/*
 * Ends threads while they load what runs in them, at every moment of it: endedThreads.js ENTRY APP COUNT. Prints the count, if it lives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const AT_ONCE = 2
const STEP_MS = 7
const LONGEST_MS = 240

const [entry = '', specifier = '', count = '0'] = process.argv.slice(2)
let begun = 0

async function endSome(): Promise<void> {
  while (begun < Number(count)) {
    const afterMs = (begun++ * STEP_MS) % LONGEST_MS
    const thread = new Worker(entry)
    thread.postMessage({ type: 'load', source: { specifier, cwd: process.cwd(), include: [] } })
    await sleep(afterMs)
    await thread.terminate()
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, endSome))
console.log(count)
