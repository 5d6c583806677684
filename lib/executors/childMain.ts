/*
 * The entry point of a child process of the prefork pool. The parent decides when it ends: a Ctrl+C in the terminal
 * reaches the whole process group, and a warm stop has to let running tasks finish. If the parent dies, the channel
 * closes.
 */
import { serve } from './serve.js'

const receive = serve({
  memory: () => process.memoryUsage.rss(),
  send: (message) => {
    if (process.connected) process.send?.(message)
  },
  leave: () => process.disconnect(),
})
process.on('message', receive)
process.on('disconnect', () => process.exit(0))
// These are the worker's own, and their reader may go away.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)
