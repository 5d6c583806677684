import { systemClock } from '../../clock.js'
import { coerceError } from '../../errors.js'
import type { Log } from '../../log/log.js'
import { printable } from '../../protocol/printable.js'
import { repr } from '../../protocol/repr.js'
import { maskSecrets, secretsOf } from '../../settings/mask.js'
import { selectQueues } from '../../settings/queues.js'
import type { Settings } from '../../settings/table.js'
import type { StopCause } from '../../worker/hooks.js'
import { isTerminal } from '../events/screen.js'
import type { Io } from '../io.js'
import type { EarlySignals } from './earlySignals.js'
import { Notifier, type SupervisedWorker, type Supervisor, systemdNotify } from './notify.js'
import { STARTED } from './relaunch.js'
import { handleSignals, type Signals } from './signals.js'

/** What the command needs from a worker. */
export interface Runnable extends SupervisedWorker {
  start(): Promise<void>
  stop(cause?: StopCause): Promise<void>
  terminate(cause?: StopCause): Promise<void>
  readonly ended: Promise<{ readonly code: number }>
}

/** How a worker ended. */
export interface End {
  readonly code: number
  /** Whether the command is to run again, because of HUP. */
  readonly again: boolean
}

export interface LiveOptions {
  readonly io: Io
  readonly log: Log
  readonly settings: Settings
  readonly supervisor: Supervisor | null
  /** The signals that were handled until now. */
  readonly early: EarlySignals
}

/** Runs a worker from its start to its end, whatever causes that, and keeps a supervisor informed. Never throws. */
export async function live(worker: Runnable, options: LiveOptions): Promise<End> {
  const { early, io, log, settings } = options
  const unrecoverable = (thrown: unknown): void => {
    const error = coerceError(thrown)
    log.logger('worker').critical(`Unrecoverable error: ${repr(error)}`, { error })
  }
  const say = (text: string): void => void io.stdout.write(`${text}\n`)
  const signals = handleSignals({
    source: io.signals,
    held: early.held,
    worker,
    restart: isTerminal(io.stdout) ? null : maskSecrets(io.command.join(' '), secretsOf(settings)),
    look: () => {
      log.reopen()
      const { details, text } = running(worker)
      log.logger('worker').warning(text, { details })
    },
    // As with settings, an env file may have the line ends of Windows.
    remapTerm: io.env.REMAP_SIGTERM?.replace(/\r$/, '') === 'SIGQUIT',
    say,
    exit: io.exit,
    onError: unrecoverable,
  })
  early.release()
  const notifier = notifierOf(worker, signals, options)
  try {
    notifier?.start()
    await worker.start()
    await io.tellParent(STARTED)
    const { code } = await worker.ended
    return { code: code === 0 ? signals.exitCode : code, again: code === 0 && signals.restarting }
  } catch (thrown) {
    unrecoverable(thrown)
    return { code: 1, again: false }
  } finally {
    await notifier?.stop()
    signals.release()
  }
}

function notifierOf(worker: Runnable, signals: Signals, { log, settings, supervisor }: LiveOptions): Notifier | null {
  if (!supervisor) return null
  const { fleet, queues } = selectQueues(settings)
  return new Notifier({
    worker,
    queues: [...queues, ...fleet].map(({ name }) => name),
    watchdogMs: supervisor.watchdogMs,
    clock: systemClock,
    log: log.logger('notify'),
    isRestart: () => signals.restarting,
    send: systemdNotify(supervisor.socket),
  })
}

/** What USR1 shows. A pending promise has no stack to dump, unlike the threads whose stacks Celery dumps. */
function running({ line }: Runnable): { readonly text: string; readonly details: string } {
  const now = systemClock.monotonic()
  const lines = [...line.state.running].map(
    ({ label, startedAt }) =>
      `\n  ${printable(label)}${startedAt === null ? '' : ` for ${((now - startedAt) / 1000).toFixed(3)}s`}`,
  )
  return {
    text: `${lines.length} of ${line.pool.size} slots run a task${lines.length === 0 ? '' : ':'}`,
    details: lines.join(''),
  }
}
