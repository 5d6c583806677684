/*
 * celery-node's worker with the task `bench.noop`. Its log goes to the console and has no level, and it always stores results: both
 * are turned off here, as they are for the others. Every hundred calls it says how many there have been, and when.
 *
 *   celeryNode.js URL QUEUE REDIS_URL
 */
import celery from 'celery-node'
import { microseconds } from '../microseconds.js'

const [url = '', queue = '', redisUrl = ''] = process.argv.slice(2)
const STEP = 100
let calls = 0

console.info = () => undefined
// It takes the URL's last slash for an empty virtual host.
const worker = celery.createWorker(url.replace(/\/\/$/, ''), redisUrl, queue)
Object.assign(worker.backend, { storeResult: () => Promise.resolve() })
worker.register('bench.noop', () => {
  calls++
  if (calls % STEP === 0) process.stdout.write(`${calls} ${microseconds()}\n`)
  return null
})
await worker.start()
