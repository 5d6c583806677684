import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { STOPPING } from '../../component.js'
import { coerceError } from '../../errors.js'
import type { Clock, Logger, Timer } from '../../ports.js'
import { clip, printable } from '../../protocol/printable.js'

const run = promisify(execFile)

const LOOK_EVERY_MS = 250
/** How often the numbers of a ready worker are sent; the reason for not being ready is sent at once. */
const NUMBERS_EVERY_MS = 10_000
const SEND_TIMEOUT_MS = 10_000
/** Characters of a status: systemd ignores all of a message of 4,096 bytes or more, READY and WATCHDOG too. */
const LONGEST_STATUS = 1000

/** The facts about a worker that are sent. */
export interface SupervisedWorker {
  /** The reasons for not being ready; empty when the worker is ready. */
  readonly readiness: readonly string[]
  readonly line: {
    readonly pool: { readonly busy: number; readonly size: number }
    readonly state: {
      readonly parked: number
      readonly running: Iterable<{ readonly label: string; readonly startedAt: number | null }>
    }
  }
}

/** A supervisor that wants notifications. */
export interface Supervisor {
  readonly socket: string
  /** The supervisor considers us dead after this time without a message; null for no limit. */
  readonly watchdogMs: number | null
  /** The environment variables that a process that takes our place needs. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Reads systemd's NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from the environment, so that no
 * program started by a task can notify in the worker's name.
 * @returns null without a supervisor
 */
export function takeSupervisor(env: Record<string, string | undefined>, pid: number): Supervisor | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: micros, WATCHDOG_PID: watched } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (!socket) return null
  const isMeant = watched === undefined || watched === String(pid)
  const watchdogMs = isMeant && Number(micros) > 0 ? Number(micros) / 1000 : null
  return {
    socket,
    watchdogMs,
    env: { NOTIFY_SOCKET: socket, ...(watchdogMs && micros ? { WATCHDOG_USEC: micros } : {}) },
  }
}

/**
 * Sends fields with the program `systemd-notify`, since Node has no Unix datagram sockets. The program ends when
 * systemd has received the message; systemd may be unable to attribute a message to a process that is gone.
 * NotifyAccess=all lets it speak for the worker.
 */
export function systemdNotify(socket: string): (fields: readonly string[]) => Promise<void> {
  return async (fields) => {
    await run('systemd-notify', [...fields], {
      env: { ...process.env, NOTIFY_SOCKET: socket },
      timeout: SEND_TIMEOUT_MS,
    })
  }
}

export interface NotifierOptions {
  readonly worker: SupervisedWorker
  readonly queues: readonly string[]
  readonly watchdogMs: number | null
  readonly clock: Clock
  readonly log: Logger
  /** Whether the coming stop is part of a restart. */
  isRestart(): boolean
  send(fields: readonly string[]): Promise<void>
}

/**
 * Notifies the supervisor about a worker: READY once it is ready to work, RELOADING or STOPPING when it stops, STATUS
 * throughout, and WATCHDOG from the event loop, so that a hanging loop falls silent. Mirrors sd_notify(3). A failure is
 * logged once and harms nothing else.
 */
export class Notifier {
  private readonly pending = new Map<string, string>()
  private readonly timers = new Map<string, Timer>()
  private sending: Promise<void> | null = null
  private wasReady = false
  private end: 'RELOADING' | 'STOPPING' | null = null
  private hasWarned = false
  private reasons: string | null = null
  private numbersAt = Number.NEGATIVE_INFINITY

  constructor(private readonly options: NotifierOptions) {}

  start(): void {
    const { watchdogMs } = this.options
    this.every('look', LOOK_EVERY_MS, () => this.look())
    if (watchdogMs !== null) this.every('watchdog', watchdogMs / 2, () => this.put('WATCHDOG', '1'))
  }

  /** Sends the last notification. */
  async stop(): Promise<void> {
    for (const timer of this.timers.values()) timer.cancel()
    this.sayEnd()
    await this.sending
  }

  private look(): void {
    const { worker, clock } = this.options
    const { readiness } = worker
    if (readiness.includes(STOPPING)) this.sayEnd()
    else if (readiness.length === 0 && !this.wasReady) {
      this.wasReady = true
      this.put('READY', '1')
    }
    const reasons = readiness.join('; ')
    const isDue = clock.monotonic() - this.numbersAt >= NUMBERS_EVERY_MS
    if (reasons === this.reasons && !isDue) return
    this.reasons = reasons
    this.numbersAt = clock.monotonic()
    this.put('STATUS', clip(printable(this.status(reasons)), LONGEST_STATUS))
  }

  private status(reasons: string): string {
    const { queues, worker } = this.options
    const { pool, state } = worker.line
    const numbers = `${pool.busy} of ${pool.size} slots busy, ${state.parked} parked; queues: ${queues.join(', ')}`
    return reasons === '' ? numbers : `Not ready, ${reasons}; ${numbers}`
  }

  private sayEnd(): void {
    const end = this.options.isRestart() ? 'RELOADING' : 'STOPPING'
    if (end === this.end) return
    this.end = end
    this.put(end, '1')
  }

  private every(name: string, ms: number, fn: () => void): void {
    fn()
    this.timers.set(
      name,
      this.options.clock.setTimer(() => this.every(name, ms, fn), ms),
    )
  }

  private put(field: string, value: string): void {
    this.pending.set(field, value)
    this.sending ??= this.flush().finally(() => {
      this.sending = null
    })
  }

  /**
   * Sends one message at a time, so that they arrive in order; changes that come meanwhile go together into the next.
   */
  private async flush(): Promise<void> {
    await Promise.resolve()
    while (this.pending.size > 0) {
      const fields = [...this.pending].map(([field, value]) => `${field}=${value}`)
      this.pending.clear()
      await this.options.send(fields).catch((thrown) => this.warn(coerceError(thrown)))
    }
  }

  private warn({ message }: Error): void {
    if (this.hasWarned) return
    this.hasWarned = true
    this.options.log.warning(`Could not notify the service manager: ${message}`)
  }
}
