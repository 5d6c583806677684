import { Worker as Thread } from 'node:worker_threads'
import { ConfigurationError } from '../errors.js'
import { PACKAGE_FOLDER } from '../version.js'
import type { Child } from './child.js'
import type { ChildPoolOptions } from './childKind.js'
import { ChildPool } from './childPool.js'
import type { AppSource, FromChild, ToChild } from './messages.js'

const ENTRY = new URL('dist/executors/threadMain.js', PACKAGE_FOLDER)

export interface ThreadsOptions extends ChildPoolOptions {
  /** Environment variables of the threads, in addition to the worker's own. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The threads pool: one worker thread per slot. A task past its hard limit is ended with its thread, whatever it does.
 */
export function threadsPool(options: ThreadsOptions): ChildPool {
  const { env = {} } = options
  return new ChildPool(
    {
      name: 'threads',
      implementation: 'celery.concurrency.thread:TaskPool',
      listed: 'threads',
      make: (source, number) => startThread(source, number, env),
    },
    options,
  )
}

function startThread(source: AppSource, number: number, env: Readonly<Record<string, string>>): Child {
  const thread = new Thread(ENTRY, { env: { ...process.env, ...env } })
  const id = thread.threadId
  const label = `Thread 'ThreadPoolWorker-${number}' id:${id}`
  const gone = new Promise<string>((resolve) => thread.once('exit', (code) => resolve(`exitcode ${code}`)))
  const kill = (): void => void thread.terminate()
  const self: Child = {
    label,
    id,
    pid: process.pid,
    gone,
    loaded: new Promise((resolve, reject) => {
      thread.on('message', (message: FromChild) => {
        if (message.type === 'loaded') resolve()
        else if (message.type === 'unfit') {
          reject(new ConfigurationError(message.faults))
          kill()
        } else self.onMessage(message)
      })
      void gone.then((how) => reject(new Error(`${label} exited with '${how}' before it had loaded the app`)))
    }),
    onMessage: () => undefined,
    send: (message: ToChild) => thread.postMessage(message),
    end: () => self.send({ type: 'end' }),
    kill,
  }
  // The thread ends after this.
  thread.on('error', (error: unknown) => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
    self.onMessage({
      type: 'log',
      job: null,
      level: 'ERROR',
      message: `${label} was ended by an error: ${why}`,
      facts: {},
    })
  })
  self.send({ type: 'load', source })
  return self
}
