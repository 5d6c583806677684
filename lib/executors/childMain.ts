/*
 * The entry of a child process of the prefork pool. The parent decides when it ends: a Ctrl+C in the terminal reaches the whole
 * group, and a warm stop has to let the running tasks finish. With the parent's death its end of the channel closes.
 */
import { coerceError } from '../errors.js'
import { repr } from '../protocol/repr.js'
import { ChildRun } from './childRun.js'
import type { FromChild, ToChild } from './messages.js'

const send = (message: FromChild): void => {
  if (process.connected) process.send?.(message)
}
let child: ChildRun | null = null

async function load(message: ToChild & { type: 'load' }): Promise<void> {
  child = new ChildRun(message.source, () => process.memoryUsage.rss(), send)
  send(await child.loaded())
}

async function end(): Promise<void> {
  await child?.close().catch((thrown) => console.error(`The app wasn't closed: ${coerceError(thrown).message}`))
  process.disconnect()
}

process.on('message', (message: ToChild) => {
  switch (message.type) {
    case 'load':
      void load(message)
      break
    case 'run':
      void child?.run(message.job, send)
      break
    case 'end':
      void end()
      break
    default:
      child?.receive(message)
  }
})
process.on('disconnect', () => process.exit(0))
// They are the worker's own, and whoever reads them may go.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)
process.on('unhandledRejection', (thrown) => {
  const message = `Unhandled promise rejection: ${repr(coerceError(thrown))}`
  send({ type: 'log', level: 'ERROR', message, facts: {} })
})
