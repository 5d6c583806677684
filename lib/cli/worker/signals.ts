import type { StopCause } from '../../worker/hooks.js'

/** The part of `process` that emits signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
  listenerCount(signal: NodeJS.Signals): number
}

export interface SignalOptions {
  readonly source: SignalSource
  /** A signal that was received earlier. */
  readonly held?: NodeJS.Signals | null
  readonly worker: { stop(cause: StopCause): Promise<void>; terminate(cause: StopCause): Promise<void> }
  /** The command line, logged when HUP restarts the worker; null if HUP is a warm stop, as on a terminal, which sends HUP when it closes. */
  readonly restart: string | null
  /** USR1: reopens the log file at its path, and shows what runs. */
  look(): void
  /** REMAP_SIGTERM=SIGQUIT: TERM is handled as QUIT. */
  readonly remapTerm: boolean
  /** Writes a line to stdout. */
  say(text: string): void
  /** Ends the process immediately. */
  exit(code: number): void
  /** Called when a stop failed. */
  onError(thrown: unknown): void
}

export interface Signals {
  /** The exit code after the signals so far; 0 without one. */
  readonly exitCode: number
  /** Whether the worker is to be started again when it has stopped. */
  readonly restarting: boolean
  /** Stops listening to the signals. */
  release(): void
}

const WARM = 'worker: Warm shutdown (MainProcess)'
const COLD = 'worker: Cold shutdown (MainProcess)'
const NEXT_IS_COLD = 'worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!'
const NEXT_KILLS = 'worker: Hitting Ctrl+C again will terminate all running tasks!'
const BE_PATIENT = 'Waiting gracefully for cold shutdown to complete...'

/*
 * running --TERM--> warm (exit 0)      warm --TERM--> warm
 * running --INT---> warm (exit 1)      warm by TERM --INT--> warm (exit 1)      warm by INT --INT--> cold
 * any     --QUIT--> cold               cold --INT, QUIT--> patient              patient --INT, QUIT--> exit at once, 1
 * running --HUP---> warm, then started again, unless another signal asks for an end before
 * USR1: no change of state. Node's own USR1 would open a debugger to all users of the machine.
 */

/** Handles TERM, INT, QUIT, HUP and USR1 with the meaning and the texts of Celery 5.6. */
export function handleSignals(options: SignalOptions): Signals {
  const { source, worker, restart, look, say, exit, onError } = options
  let exitCode = 0
  let interrupted = false
  let stopping = false
  let restarting = false
  let state: 'running' | 'cold' | 'patient' = 'running'

  const warm = (sig: NodeJS.Signals, code: number): void => {
    if (state !== 'running') return
    exitCode = code
    stopping = true
    restarting = false
    say(WARM)
    worker.stop({ sig, exitcode: code }).catch(onError)
  }
  const cold = (sig: NodeJS.Signals): void => {
    stopping = true
    restarting = false
    if (state === 'running') {
      state = 'cold'
      say(NEXT_KILLS)
      worker.terminate({ sig, exitcode: exitCode }).then(() => say(COLD), onError)
    } else if (state === 'cold') {
      state = 'patient'
      say(BE_PATIENT)
    } else exit(1)
  }
  const interrupt = (): void => {
    if (interrupted || state !== 'running') cold('SIGINT')
    else {
      interrupted = true
      say(NEXT_IS_COLD)
      warm('SIGINT', 1)
    }
  }
  const renew = (): void => {
    if (restart === null) terminate()
    else if (!stopping) {
      say(`Restarting celery worker (${restart})`)
      warm('SIGHUP', 0)
      restarting = true
    }
  }
  const terminate = options.remapTerm ? () => cold('SIGTERM') : () => warm('SIGTERM', exitCode)

  const listeners: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
    ['SIGTERM', terminate],
    ['SIGHUP', renew],
    ['SIGINT', interrupt],
    ['SIGQUIT', () => cold('SIGQUIT')],
    ['SIGUSR1', look],
  ]
  for (const [signal, listener] of listeners) {
    source.on(signal, listener)
    if (signal === options.held) listener()
  }
  return {
    get exitCode() {
      return exitCode
    },
    get restarting() {
      return restarting
    },
    release() {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}
