/*
 * A program whose worker runs tasks in children, which load the module of the app: prints where a task has run. embeddedPool.js POOL,
 * with the broker and the backend in the environment
 */
import { Worker } from 'celeriac'
import app from './cpu.js'

const [pool = ''] = process.argv.slice(2)
const worker = new Worker(app, {
  pool: pool as 'threads' | 'prefork',
  appModule: new URL('./cpu.js', import.meta.url),
  concurrency: 1,
  logLevel: 'ERROR',
})
await worker.start()
await worker.ready
const { pid, thread } = (await (await app.sendTask('cpu.where')).get({ timeout: 60 })) as {
  pid: number
  thread: number
}
await worker.stop()
await app.close()
console.log(JSON.stringify({ isOwnProcess: pid === process.pid, isOwnThread: pid === process.pid && thread === 0 }))
