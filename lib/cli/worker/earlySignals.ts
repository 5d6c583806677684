import type { SignalSource } from './signals.js'

export interface EarlyOptions {
  readonly source: SignalSource
  /** Ends the process there and then. */
  exit(code: number): void
}

export interface EarlySignals {
  /** HUP, if it has come: it is for the worker that is about to start. */
  readonly held: NodeJS.Signals | null
  /** Gives the signals back. Idempotent. */
  release(): void
}

/**
 * Heeds signals from the first moment on, while the app's module loads: TERM and QUIT end the process with exit code 0, INT with 1, as
 * they do later; there is nothing to be waited for yet. For process 1 of a container a signal that nobody listens for is lost.
 * Python's worker dies of the signal itself there, and as process 1 loses it.
 */
export function heedEarly({ exit, source }: EarlyOptions): EarlySignals {
  let held: NodeJS.Signals | null = null
  const listeners: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
    ['SIGTERM', () => exit(0)],
    ['SIGQUIT', () => exit(0)],
    ['SIGINT', () => exit(1)],
    [
      'SIGHUP',
      () => {
        held = 'SIGHUP'
      },
    ],
    // Node's own USR1 would open a debugger to all users of the machine.
    ['SIGUSR1', () => undefined],
  ]
  for (const [signal, listener] of listeners) source.on(signal, listener)
  return {
    get held() {
      return held
    },
    release() {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}
