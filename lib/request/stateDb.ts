import { access, constants, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Component } from '../component.js'
import { CeleriacError, coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { LamportClock } from '../protocol/lamport.js'
import { seeClock } from '../protocol/seenClock.js'
import type { Revoked, RevokedRecord } from './revoked.js'

const VERSION = 1
/** Milliseconds within which changes are saved together. */
const SAVE_AFTER_MS = 3000

export interface StateDbOptions {
  /** The path of the file (`-S`, `worker_state_db`). */
  readonly file: string
  readonly revoked: Revoked
  readonly lamport: LamportClock
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Keeps the revoked tasks and the logical clock over a restart, in a JSON file. Mirrors Celery's `--statedb`, whose own
 * file (a shelve) only Python can read. A bad file never keeps the worker from starting.
 */
export class StateDb implements Component {
  readonly name = 'statedb'
  private timer: Timer | null = null
  private saving: Promise<void> = Promise.resolve()
  private state: 'new' | 'started' | 'stopped' = 'new'

  constructor(private readonly options: StateDbOptions) {
    options.revoked.onAdded(() => this.changed())
  }

  /** Loads the file, if there is one. One that can't be read is moved aside, so that nothing of it is lost. */
  async start(): Promise<void> {
    if (this.state !== 'new') return
    const { file, lamport, log, revoked } = this.options
    try {
      const record = decode(await readFile(file, 'utf8'))
      seeClock(lamport, record.clock)
      revoked.load(record.revoked)
    } catch (thrown) {
      if (!isMissing(thrown)) await this.moveAside(coerceError(thrown))
    }
    this.state = 'started'
    log.debug(`The state of this worker is kept in ${file}`)
    // Otherwise a wrong path shows when the first task is revoked, or at the stop.
    await access(dirname(file), constants.W_OK).catch((thrown) =>
      log.warning(`The state of this worker can't be kept in ${file}: ${coerceError(thrown).message}`),
    )
  }

  private changed(): void {
    if (this.state !== 'started') return
    this.timer ??= this.options.clock.setTimer(() => {
      this.timer = null
      void this.save()
    }, SAVE_AFTER_MS)
  }

  async stop(): Promise<void> {
    if (this.state === 'started') {
      this.state = 'stopped'
      this.timer?.cancel()
      void this.save()
    }
    await this.saving
  }

  private save(): Promise<void> {
    const { file, log } = this.options
    this.saving = this.saving
      .then(() => this.write())
      .catch((thrown) => log.error(`The state couldn't be saved in ${file}: ${coerceError(thrown).message}`))
    return this.saving
  }

  /**
   * Writes a new file and renames it over the old one, so that the file is complete at any moment, even after a power
   * failure.
   */
  private async write(): Promise<void> {
    const { file, lamport, revoked } = this.options
    const beside = `${file}.${process.pid}.tmp`
    // A new file: one left by an earlier process with the same pid has other rights, or is a link.
    await rm(beside, { force: true })
    const handle = await open(beside, 'wx', 0o600)
    try {
      try {
        await handle.writeFile(JSON.stringify({ version: VERSION, clock: lamport.forward(), revoked: revoked.dump() }))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(beside, file)
    } catch (thrown) {
      // Each process has another name for it, and on a full disk its bytes are wanted.
      await rm(beside, { force: true })
      throw thrown
    }
  }

  private async moveAside(error: Error): Promise<void> {
    const { clock, file, log } = this.options
    const aside = `${file}.unreadable-${clock.now()}`
    const what = `The state of an earlier run in ${file} can't be read: ${error.message}`
    try {
      await rename(file, aside)
      log.warning(`${what}; it was moved to ${aside}, and the worker starts without it`)
    } catch (thrown) {
      log.warning(`${what} or moved (${coerceError(thrown).message}); the worker starts without it`)
    }
  }
}

/** @throws CeleriacError if no StateDb wrote this text */
function decode(text: string): { readonly clock: unknown; readonly revoked: RevokedRecord } {
  let record: Partial<Record<'version' | 'clock' | 'revoked', unknown>> | null
  try {
    record = JSON.parse(text)
  } catch (thrown) {
    throw new CeleriacError('CELERIAC_STATEDB', "it is not valid JSON; files of Python's Celery can't be read", {
      cause: thrown,
    })
  }
  if (record?.version !== VERSION || !isRevoked(record.revoked)) {
    throw new CeleriacError('CELERIAC_STATEDB', 'it is not a state file of this version')
  }
  return { clock: record.clock, revoked: record.revoked }
}

function isRevoked(value: unknown): value is RevokedRecord {
  const { ids, stamps } = (value ?? {}) as Partial<Record<keyof RevokedRecord, unknown>>
  return areRows(ids, ['string', 'number']) && areRows(stamps, ['string', 'string', 'number'])
}

function areRows(rows: unknown, types: readonly string[]): boolean {
  return (
    Array.isArray(rows) &&
    rows.every((row) => Array.isArray(row) && types.every((type, column) => typeof row[column] === type))
  )
}

function isMissing(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ENOENT'
}
