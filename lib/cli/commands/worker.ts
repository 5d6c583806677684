import { arch, release, type } from 'node:os'
import type { App } from '../../app/app.js'
import { ConfigurationError, coerceError } from '../../errors.js'
import { createLog, type Log } from '../../log.js'
import type { Logger } from '../../ports.js'
import { repr } from '../../protocol/repr.js'
import { secretsOf } from '../../settings/mask.js'
import type { Settings } from '../../settings/table.js'
import { Worker } from '../../worker.js'
import { banner } from '../banner.js'
import type { Io } from '../io.js'
import { expandNodename, expandPath } from '../nodename.js'
import { EX_CANTCREAT, PidfileError, takePidfile } from '../pidfile.js'
import { prepare } from '../prepare.js'
import { handleSignals } from '../signals.js'
import { handleStrays } from '../strays.js'

/** What the command asks of a worker. */
export interface Runnable {
  start(): Promise<void>
  stop(): Promise<void>
  terminate(): Promise<void>
  readonly ended: Promise<{ readonly code: number }>
}

export type MakeWorker = (options: {
  app: App
  settings: Settings
  nodename: string
  log: (scope: string) => Logger
}) => Runnable

export interface WorkerCommand {
  /** By the name of their row. */
  readonly flags: Readonly<Record<string, unknown>>
  /** What stood after `--`. */
  readonly args: readonly string[]
  readonly version: string
  readonly io: Io
  readonly makeWorker?: MakeWorker
}

/**
 * `celeriac worker`: runs until it is told to stop.
 * @returns the exit code: 0, 1 after an unrecoverable error or an interrupt, 73 for a pidfile in use
 * @throws ConfigurationError with all that is wrong with the start
 */
export async function runWorker(command: WorkerCommand): Promise<number> {
  const { io } = command
  const { app, settings, warnings } = await prepare(command.flags, command.args, io)
  const nodename = expandNodename(settings.hostname)
  const path = (template: string | null): string | null => template && expandPath(template, nodename, io.env.HOME)
  const log = openLog(settings, path(settings.logfile), io)
  const say = (text: string): void => void io.stdout.write(`${text}\n`)
  const releaseStrays = handleStrays({ source: io.errors, log, exit: io.exit })
  let releasePidfile = (): void => undefined
  try {
    const worker = makeWorker(command, {
      app,
      settings: { ...settings, worker_state_db: path(settings.worker_state_db) },
      nodename,
      log: log.logger,
    })
    const pidfile = path(settings.pidfile)
    if (pidfile) {
      const taken = takePidfile(pidfile, io.pid, (text) => void io.stderr.write(`${text}\n`))
      releasePidfile = () => taken.release()
      io.atExit(releasePidfile)
    }
    if (!settings.quiet) {
      const platform = `${type()}-${release()}-${arch()}`
      io.stdout.write(banner({ nodename, version: command.version, platform, now: new Date(), app, settings }))
    }
    for (const warning of warnings) log.logger('settings').warning(warning)
    return await live(worker, log, say, io)
  } catch (thrown) {
    if (!(thrown instanceof PidfileError)) throw thrown
    io.stderr.write(`${thrown.message}\n`)
    return EX_CANTCREAT
  } finally {
    releasePidfile()
    releaseStrays()
    await log.close()
  }
}

async function live(worker: Runnable, log: Log, say: (text: string) => void, io: Io): Promise<number> {
  const unrecoverable = (thrown: unknown): void => {
    const error = coerceError(thrown)
    log.logger('worker').critical(`Unrecoverable error: ${repr(error)}`, { error })
  }
  const signals = handleSignals({
    source: io.signals,
    worker,
    remapTerm: io.env.REMAP_SIGTERM === 'SIGQUIT',
    say,
    exit: io.exit,
    onError: unrecoverable,
  })
  try {
    await worker.start()
    const { code } = await worker.ended
    return code === 0 ? signals.exitCode : code
  } catch (thrown) {
    unrecoverable(thrown)
    return 1
  } finally {
    signals.release()
  }
}

function openLog(settings: Settings, logfile: string | null, io: Io): Log {
  try {
    return createLog({
      level: settings.loglevel,
      format: settings.log_format,
      logfile,
      color: !settings.no_color && settings.worker_log_color !== false,
      template: settings.worker_log_format,
      taskTemplate: settings.worker_task_log_format,
      secrets: secretsOf(settings),
      stream: io.stderr,
    })
  } catch (thrown) {
    throw new ConfigurationError([`-f/--logfile ${JSON.stringify(logfile)}: ${coerceError(thrown).message}`])
  }
}

/** What the worker itself can't accept, an order key's path for example, is a fault of the configuration like any other. */
function makeWorker(command: WorkerCommand, options: Parameters<MakeWorker>[0]): Runnable {
  try {
    return command.makeWorker ? command.makeWorker(options) : new Worker(options)
  } catch (thrown) {
    throw new ConfigurationError([coerceError(thrown).message])
  }
}
