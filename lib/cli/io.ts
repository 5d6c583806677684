import type { Writable } from 'node:stream'
import { type Identity, processIdentity } from './worker/identity.js'
import type { SignalSource } from './worker/signals.js'

/** The process as the command line sees it, so that specs can stand in for it. */
export interface Io {
  readonly env: Record<string, string | undefined>
  readonly pid: number
  /** The program and all of its arguments: the command to run for another process like this one. */
  readonly command: readonly [string, ...string[]]
  readonly stdout: Writable
  readonly stderr: Writable
  readonly signals: SignalSource
  /** The source of errors that nobody caught. */
  readonly errors: ErrorSource
  readonly identity: Identity
  cwd(): string
  chdir(directory: string): void
  /** Replaces the program of this process, which keeps its id. Null if Node can't. */
  readonly execve: Execve | null
  /** Sends a text to the process that started this one. @returns false if it doesn't listen */
  tellParent(text: string): Promise<boolean>
  /** Sends this process QUIT when the one that started it is gone, if that listens now. */
  endWithParent(): void
  /** Ends the process immediately. */
  exit(code: number): void
  /** Calls back when the process ends, however it does. */
  atExit(fn: () => void): void
  /**
   * Ends the process when nothing is left to do, or after `withinMs` even if something keeps it alive: a timer or
   * socket of a task.
   */
  leave(code: number, withinMs: number): void
}

export interface ErrorSource {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
  off(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
}

/** The first argument is the program's own name. */
export type Execve = (file: string, args: readonly string[], env: Readonly<Record<string, string>>) => never

export const processIo: Io = {
  env: process.env,
  pid: process.pid,
  command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  errors: process,
  identity: processIdentity,
  cwd: () => process.cwd(),
  chdir: (directory) => process.chdir(directory),
  execve: execveOf(process),
  tellParent: (text) =>
    new Promise((resolve) => {
      if (process.connected && process.send) process.send(text, (error: Error | null) => resolve(error === null))
      else resolve(false)
    }),
  endWithParent: () => {
    if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGQUIT'))
  },
  exit: (code) => process.exit(code),
  atExit: (fn) => process.on('exit', fn),
  leave: (code, withinMs) => {
    setTimeout(() => process.exit(code), withinMs).unref()
  },
}

/** Available in Node since 22.15. */
function execveOf(owner: NodeJS.Process & { readonly execve?: Execve }): Execve | null {
  return owner.execve?.bind(owner) ?? null
}
