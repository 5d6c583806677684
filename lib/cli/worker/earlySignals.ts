import type { SignalSource } from './signals.js'

export interface EarlyOptions {
  readonly source: SignalSource
  /** Ends the process immediately. */
  exit(code: number): void
}

export interface EarlySignals {
  /** HUP, if it was received: it is meant for the worker that is about to start. */
  readonly held: NodeJS.Signals | null
  /** Stops listening to the signals. Idempotent. */
  release(): void
}

/**
 * Handles signals from the first moment on, while the app's module loads: TERM and QUIT end the process with exit code
 * 0, INT with 1, as they do later; there is nothing to wait for yet. For process 1 of a container a signal without a
 * listener is lost. Python's worker is killed by the signal itself at this stage, and as process 1 loses it.
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
    // Without a listener, USR1 makes Node open a debugger to all users of the machine.
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
