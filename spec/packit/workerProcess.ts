import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readLogLine } from './workerLog.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const READY_LIMIT_MS = 120_000
const STOP_LIMIT_MS = 120_000
const KILL_AFTER_MS = 3000
const LINES_KEPT = 15

export interface WorkerProcessOptions {
  readonly queue: string
  readonly name: string
  /** Further options of `celeriac worker`. */
  readonly options: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Ends every wait. */
  readonly signal: AbortSignal
  /** Told when the controller changes the number of slots. */
  onSlots(slots: number): void
  /** Told how many lanes of a fleet it is to hold. */
  onLanes?(lanes: number): void
}

/** `celeriac -A build/packit/app.js worker`, as anybody would start it. */
export class WorkerProcess {
  /** Rejects when the process ends without having been asked to. */
  readonly failed: Promise<never>
  private readonly child: ChildProcess
  private readonly exited: Promise<string>
  private readonly ready: Promise<void>
  private readonly lastLines: string[] = []
  private becameReady: () => void = () => undefined
  private askedToStop = false
  private readonly killWithUs = (): void => {
    this.child.kill('SIGKILL')
  }

  constructor(private readonly options: WorkerProcessOptions) {
    const { env, name, queue } = options
    const target = [`--queues=${queue}`, `--hostname=${name}@%h`, '--prefetch-multiplier=1']
    const output = ['--loglevel=INFO', '--log-format=json', '--without-gossip', '--without-mingle']
    const command = ['bin/celeriac.js', '-A', 'build/packit/app.js', 'worker', ...target, ...output, ...options.options]
    this.child = spawn(process.execPath, command, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    process.once('exit', this.killWithUs)
    this.ready = new Promise((resolve) => {
      this.becameReady = resolve
    })
    this.exited = once(this.child, 'close').then(([code, signal]) => (signal === null ? `${code}` : `${signal}`))
    this.failed = this.exited.then((how) => {
      if (this.askedToStop) return new Promise<never>(() => undefined)
      throw new Error(`the worker ended by itself (${how}). ${this.lastWords}`)
    })
    // Whoever waits for the worker sees the failure; between two waits nobody does.
    this.failed.catch(() => undefined)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line))
    }
  }

  /** @throws Error if the worker ends or takes too long */
  async whenReady(): Promise<void> {
    await this.within(READY_LIMIT_MS, Promise.race([this.ready, this.failed]), "didn't become ready")
  }

  /**
   * SIGTERM: a warm stop.
   * @throws Error unless the exit code is 0
   */
  async stop(): Promise<void> {
    this.askedToStop = true
    this.child.kill('SIGTERM')
    const how = await this.within(STOP_LIMIT_MS, this.exited, "didn't stop after SIGTERM")
    if (how !== '0') throw new Error(`the worker ended with ${how} instead of 0. ${this.lastWords}`)
  }

  /** Ends the process in any case; does nothing if it has ended. */
  async kill(): Promise<void> {
    this.askedToStop = true
    this.child.kill('SIGTERM')
    const ended = new AbortController()
    const killing = setTimeout(KILL_AFTER_MS, undefined, { signal: ended.signal }).then(
      this.killWithUs,
      () => undefined,
    )
    await this.exited
    ended.abort()
    await killing
    process.removeListener('exit', this.killWithUs)
  }

  private hear(line: string): void {
    this.lastLines.push(line)
    if (this.lastLines.length > LINES_KEPT) this.lastLines.shift()
    const heard = readLogLine(line)
    if (heard.ready) this.becameReady()
    if (heard.slots !== null) this.options.onSlots(heard.slots)
    if (heard.lanes !== null) this.options.onLanes?.(heard.lanes)
  }

  private async within<T>(limitMs: number, waited: Promise<T>, complaint: string): Promise<T> {
    const settled = new AbortController()
    const late = setTimeout(limitMs, undefined, {
      signal: AbortSignal.any([this.options.signal, settled.signal]),
    }).then(() => {
      throw new Error(`the worker ${complaint} within ${limitMs / 1000} s. ${this.lastWords}`)
    })
    return Promise.race([waited, late]).finally(() => settled.abort())
  }

  private get lastWords(): string {
    return `Its last lines:\n${this.lastLines.join('\n')}`
  }
}
