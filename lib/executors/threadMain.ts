/*
 * What a thread of the threads pool runs: piscina calls it through `threadEntry.cts`. Each job brings a port of its own, for all that is said while it runs.
 */
import type { MessagePort } from 'node:worker_threads'
import { coerceError } from '../errors.js'
import { repr } from '../protocol/repr.js'
import { ChildRun } from './childRun.js'
import type { FromChild, ToChild } from './messages.js'

export type ThreadCall =
  | (ToChild & { type: 'load' | 'end' })
  | { readonly message: ToChild & { type: 'run' }; readonly port: MessagePort }

let child: ChildRun | null = null
/** Of the job that runs. */
let running: MessagePort | null = null

/** Between two jobs there is no way to the worker's log. */
function say(message: FromChild): void {
  if (running) running.postMessage(message)
  else if (message.type === 'log') console.error(`${message.level}: ${message.message}`)
}

process.on('unhandledRejection', (thrown) => {
  console.error(`Unhandled promise rejection: ${repr(coerceError(thrown))}`)
})

/** The heap of this thread alone; the resident set is the whole process's. */
function ownMemory(): number {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

export default async function onCall(call: ThreadCall): Promise<FromChild | null> {
  if ('port' in call) {
    const { message, port } = call
    port.on('message', (message: ToChild) => child?.receive(message))
    running = port
    await child?.run(message.job, (message) => port.postMessage(message))
    running = null
    port.close()
    return null
  }
  if (call.type === 'load') {
    child = new ChildRun(call.source, ownMemory, say)
    return child.loaded()
  }
  await child?.close()
  return null
}
