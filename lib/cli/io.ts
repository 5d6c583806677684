import type { Writable } from 'node:stream'
import type { SignalSource } from './signals.js'

/** How long what a finished command left behind (a stray timer or socket of a task) may keep the process. */
const LEFTOVERS_MS = 1000

/** The process as the command line sees it, so that specs can stand in for it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly stdout: Writable
  readonly stderr: Writable
  readonly signals: SignalSource
  /** Where stray errors are told. */
  readonly errors: ErrorSource
  cwd(): string
  chdir(directory: string): void
  /** Ends the process there and then. */
  exit(code: number): void
  /** Calls back when the process ends, however it does. */
  atExit(fn: () => void): void
  /** Ends the process soon, even if something keeps it. */
  leave(code: number): void
}

export interface ErrorSource {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
  off(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
}

export const processIo: Io = {
  env: process.env,
  pid: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  errors: process,
  cwd: () => process.cwd(),
  chdir: (directory) => process.chdir(directory),
  exit: (code) => process.exit(code),
  atExit: (fn) => process.on('exit', fn),
  leave: (code) => {
    setTimeout(() => process.exit(code), LEFTOVERS_MS).unref()
  },
}
