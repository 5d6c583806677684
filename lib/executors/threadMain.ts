/*
 * The entry of a thread of the threads pool. The worker decides when it ends.
 */
import { parentPort } from 'node:worker_threads'
import { serve } from './serve.js'

const receive = serve({
  // Only the heap of this thread; the resident set is that of the whole process.
  memory: () => {
    const { external, heapUsed } = process.memoryUsage()
    return heapUsed + external
  },
  send: (message) => parentPort?.postMessage(message),
  leave: () => process.exit(0),
})
parentPort?.on('message', receive)
