import type { AppSource, FromChild, ToChild } from './messages.js'

/** A process or a thread in which tasks run, one at a time. */
export interface Child {
  /** Id of the process that its tasks run in. */
  readonly pid: number
  /** Name in log lines: `Process 'ForkPoolWorker-2' pid:123`. */
  readonly label: string
  /** Id of the process or the thread. */
  readonly id: number
  /**
   * Resolves once it has loaded the app.
   * @throws ConfigurationError if it can't; Error if it dies meanwhile
   */
  readonly loaded: Promise<void>
  /** Resolves when it has ended, with billiard's words for how: `signal 9 (SIGKILL)`, `exitcode 3`. */
  readonly gone: Promise<string>
  /** Receives its messages; set by whoever uses it at present. */
  onMessage: (message: FromChild) => void
  send(message: ToChild): void
  /** Ends it as soon as it has closed what the app opened. Call it only while nothing runs in it. */
  end(): void
  kill(): void
}

/** Starts a child; `number` is its number in the pool. */
export type MakeChild = (source: AppSource, number: number) => Child
