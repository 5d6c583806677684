/** The part of `process` that signals come from. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
}

export interface SignalOptions {
  readonly source: SignalSource
  readonly worker: { stop(): Promise<void>; terminate(): Promise<void> }
  /** REMAP_SIGTERM=SIGQUIT: TERM is taken for QUIT. */
  readonly remapTerm: boolean
  /** Writes a line to stdout. */
  say(text: string): void
  /** Ends the process there and then. */
  exit(code: number): void
  /** Told of a stop that failed. */
  onError(thrown: unknown): void
}

export interface Signals {
  /** The exit code that the signals so far ask for; 0 without one. */
  readonly exitCode: number
  /** Gives the signals back. */
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
 * HUP: as TERM. A process can't be replaced in place here, so starting anew is the supervisor's part.
 */

/** Handles TERM, INT, QUIT and HUP with the meaning and the texts of Celery 5.6. */
export function handleSignals(options: SignalOptions): Signals {
  const { source, worker, say, exit, onError } = options
  let exitCode = 0
  let interrupted = false
  let state: 'running' | 'cold' | 'patient' = 'running'

  const warm = (code: number): void => {
    if (state !== 'running') return
    exitCode = code
    say(WARM)
    worker.stop().catch(onError)
  }
  const cold = (): void => {
    if (state === 'running') {
      state = 'cold'
      say(NEXT_KILLS)
      worker.terminate().then(() => say(COLD), onError)
    } else if (state === 'cold') {
      state = 'patient'
      say(BE_PATIENT)
    } else exit(1)
  }
  const interrupt = (): void => {
    if (interrupted || state !== 'running') cold()
    else {
      interrupted = true
      say(NEXT_IS_COLD)
      warm(1)
    }
  }
  const terminate = options.remapTerm ? cold : () => warm(exitCode)

  const listeners: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
    ['SIGTERM', terminate],
    ['SIGHUP', terminate],
    ['SIGINT', interrupt],
    ['SIGQUIT', cold],
  ]
  for (const [signal, listener] of listeners) source.on(signal, listener)
  return {
    get exitCode() {
      return exitCode
    },
    release() {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}
