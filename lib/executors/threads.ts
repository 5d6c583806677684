import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { ConfigurationError } from '../errors.js'
import { lazily } from '../lazily.js'
import type { Child } from './child.js'
import type { ChildPoolOptions } from './childKind.js'
import { ChildPool } from './childPool.js'
import type { AppSource, FromChild, ToChild } from './messages.js'
import type { ThreadCall } from './threadMain.js'

const piscina = lazily<typeof import('piscina')>('piscina')

const ENTRY = fileURLToPath(new URL('./threadEntry.cjs', import.meta.url))

export interface ThreadsOptions extends ChildPoolOptions {
  /** What the threads find in their environment beside the worker's own. */
  readonly env?: Readonly<Record<string, string>>
  /** Where the compiled `threadEntry.cjs` is. */
  readonly entry?: string
}

/**
 * The threads pool: a worker thread a slot. A piscina can't be resized, nor part with the one thread that has run enough, so each
 * slot has a piscina of one thread.
 */
export function threadsPool(options: ThreadsOptions): ChildPool {
  const { entry = ENTRY, env = {} } = options
  return new ChildPool(
    {
      name: 'threads',
      implementation: 'celery.concurrency.thread:TaskPool',
      listed: 'threads',
      make: (source, number) => new ThreadChild(source, number, entry, env),
    },
    options,
  )
}

class ThreadChild implements Child {
  readonly label: string
  readonly id: number
  readonly pid = process.pid
  readonly loaded: Promise<void>
  readonly gone: Promise<string>
  onMessage: (message: FromChild) => void = () => undefined
  private readonly piscina: Piscina<ThreadCall, FromChild | null>
  private port: MessagePort | null = null

  constructor(source: AppSource, number: number, entry: string, env: Readonly<Record<string, string>>) {
    this.piscina = new (piscina().Piscina)({
      filename: entry,
      // The thread starts with the first call, and isn't replaced by another behind our back.
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Else it would sleep between two tasks, and with it the app's connection.
      atomics: 'disabled',
      env: { ...process.env, ...env },
    })
    const loading = this.call({ type: 'load', source })
    const [thread] = this.piscina.threads
    if (!thread) throw new Error('piscina has started no thread')
    this.id = thread.threadId
    this.label = `Thread 'ThreadPoolWorker-${number}' id:${this.id}`
    this.gone = new Promise((resolve) => thread.once('exit', (code) => resolve(`exitcode ${code}`)))
    void this.gone.then(() => this.port?.close())
    thread.once('error', (error) => this.complain(error))
    // The same error again, when nothing ran in the thread; without a listener it would end the worker.
    this.piscina.on('error', () => undefined)
    this.loaded = Promise.race([this.load(loading), this.died()])
  }

  send(message: ToChild): void {
    if (message.type === 'run') this.run(message)
    else this.port?.postMessage(message)
  }

  end(): void {
    void this.call({ type: 'end' }).then(() => this.kill())
  }

  kill(): void {
    void this.piscina.destroy()
  }

  private async load(loading: Promise<FromChild | null>): Promise<void> {
    const message = await loading
    if (message === null) await this.died()
    if (message?.type !== 'unfit') return
    this.kill()
    throw new ConfigurationError(message.faults)
  }

  private async died(): Promise<never> {
    throw new Error(`${this.label} exited with '${await this.gone}' before it had loaded the app`)
  }

  private run(message: ToChild & { type: 'run' }): void {
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    port1.on('message', (said: FromChild) => {
      if (said.type === 'done') port1.close()
      this.onMessage(said)
    })
    void this.call({ message, port: port2 }, [port2])
  }

  /** Null when the thread died meanwhile; `gone` tells the rest. */
  private call(call: ThreadCall, transferList: MessagePort[] = []): Promise<FromChild | null> {
    return this.piscina.run(call, { transferList }).catch(() => null)
  }

  private complain(error: Error): void {
    const message = `${this.label} was ended by an error: ${error.stack ?? error.message}`
    this.onMessage({ type: 'log', level: 'ERROR', message, facts: {} })
  }
}
