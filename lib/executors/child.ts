import type { AppSource, FromChild, ToChild } from './messages.js'

/** A process or a thread in which tasks run, one at a time. */
export interface Child {
  /** Of the process that its tasks run in. */
  readonly pid: number
  /** As log lines name it: `Process 'ForkPoolWorker-2' pid:123`. */
  readonly label: string
  /** Of the process or the thread. */
  readonly id: number
  /**
   * Resolves once it has loaded the app.
   * @throws ConfigurationError if it can't; Error if it dies meanwhile
   */
  readonly loaded: Promise<void>
  /** Resolves when it is no more, with billiard's word for its end: `signal 9 (SIGKILL)`, `exitcode 3`. */
  readonly gone: Promise<string>
  /** Who uses it at present sets this, and gets what it says. */
  onMessage: (message: FromChild) => void
  send(message: ToChild): void
  /** Ends it as soon as it has closed what the app opened; to be called while nothing runs in it. */
  end(): void
  kill(): void
}

/** Starts a child; `number` counts those of a pool. */
export type MakeChild = (source: AppSource, number: number) => Child
