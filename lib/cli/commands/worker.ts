import { arch, release, type } from 'node:os'
import { resolve } from 'node:path'
import type { App } from '../../app/app.js'
import { ConfigurationError, coerceError } from '../../errors.js'
import { createLog, type Log } from '../../log/log.js'
import type { Logger } from '../../ports.js'
import { secretsOf } from '../../settings/mask.js'
import type { Settings } from '../../settings/table.js'
import { buildWorker } from '../../worker/build.js'
import { expandNodename, expandPath } from '../../worker/nodename.js'
import type { Io } from '../io.js'
import { banner } from '../worker/banner.js'
import { type EarlySignals, heedEarly } from '../worker/earlySignals.js'
import { type End, live, type Runnable } from '../worker/live.js'
import { type Supervisor, takeSupervisor } from '../worker/notify.js'
import { EX_CANTCREAT, PidfileError, takePidfile } from '../worker/pidfile.js'
import { type Prepared, prepare } from '../worker/prepare.js'
import { detach, isInBackground, type Relaunch, restart, tellStandIn } from '../worker/relaunch.js'
import { handleStrays } from '../worker/strays.js'

export type MakeWorker = (options: {
  app: App
  settings: Settings
  configured: ReadonlyMap<string, unknown>
  nodename: string
  log: (scope: string) => Logger
}) => Runnable

export interface WorkerCommand {
  /** Flags by the name of their row. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Arguments after `--`. */
  readonly args: readonly string[]
  readonly version: string
  readonly io: Io
  readonly makeWorker?: MakeWorker
  /** Called once the settings are known. */
  onSettings?(settings: Settings): void
}

/** The effect that an app's own listener would have on tasks that still run. */
const OWN_LISTENER =
  'The app listens for SIGNAL itself (process.on): its listener runs at the start of a shutdown, while tasks still run. ' +
  'Leave open what tasks use; the worker ends the process after the last of them (worker_exit_timeout)'

/**
 * `celeriac worker`: runs until it is told to stop; with `--detach`, until the worker has started in the background.
 * @returns the exit code: 0, 1 after an unrecoverable error or an interrupt, 73 for a pidfile in use
 * @throws ConfigurationError with everything that is wrong with the start
 */
export async function runWorker(command: WorkerCommand): Promise<number> {
  const { io } = command
  const supervisor = takeSupervisor(io.env, io.pid)
  const early = heedEarly({ source: io.signals, exit: io.exit })
  void tellStandIn(io)
  const relaunch: Relaunch = { io, cwd: io.cwd(), env: { ...io.env, ...supervisor?.env } }
  const prepared = await prepare(command.flags, command.args, io).catch((thrown) => {
    early.release()
    throw thrown
  })
  const { settings } = prepared
  command.onSettings?.(settings)
  const nodename = expandNodename(settings.hostname)
  const path = (template: string | null): string | null => template && expandPath(template, nodename, io.env.HOME)
  const paths: Paths = {
    logfile: path(settings.logfile),
    pidfile: path(settings.pidfile),
  }
  try {
    if (settings.detach && !isInBackground(io)) return await toBackground(prepared, paths, relaunch)
    const { code, again } = await run(command, { prepared, nodename, paths, supervisor, early })
    return again ? await restart(relaunch) : code
  } catch (thrown) {
    if (!(thrown instanceof PidfileError)) throw thrown
    io.stderr.write(`${thrown.message}\n`)
    return EX_CANTCREAT
  } finally {
    early.release()
  }
}

interface Paths {
  readonly logfile: string | null
  readonly pidfile: string | null
}

interface Parts {
  readonly prepared: Prepared
  readonly nodename: string
  readonly paths: Paths
  readonly supervisor: Supervisor | null
  readonly early: EarlySignals
}

/** Errors that would keep the daemon from starting are reported here, where somebody reads them. */
async function toBackground({ settings }: Prepared, { logfile, pidfile }: Paths, relaunch: Relaunch): Promise<number> {
  const { io } = relaunch
  await openLog(settings, logfile, io).close()
  if (pidfile) takePidfile(pidfile, io.pid, (text) => void io.stderr.write(`${text}\n`)).release()
  return detach(relaunch, { file: logfile && resolve(logfile), executable: settings.executable })
}

/** Runs the worker. Everything that it acquired is released when it returns. */
async function run(command: WorkerCommand, { early, prepared, nodename, paths, supervisor }: Parts): Promise<End> {
  const { io } = command
  const { app, configured, settings, warnings } = prepared
  const log = openLog(settings, paths.logfile, io)
  const releaseStrays = handleStrays({ source: io.errors, log, exit: io.exit })
  let releasePidfile = (): void => undefined
  try {
    const make = command.makeWorker ?? ((options) => buildWorker(options, io.env.HOME))
    const worker = make({ app, settings, configured, nodename, log: log.logger })
    if (paths.pidfile) {
      const taken = takePidfile(paths.pidfile, io.pid, (text) => void io.stderr.write(`${text}\n`))
      releasePidfile = () => taken.release()
      io.atExit(releasePidfile)
    }
    if (!settings.quiet) {
      const platform = `${type()}-${release()}-${arch()}`
      io.stdout.write(banner({ nodename, version: command.version, platform, now: new Date(), app, settings }))
    }
    for (const warning of warnings) log.logger('settings').warning(warning)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      if (io.signals.listenerCount(signal) > 1) log.logger('worker').warning(OWN_LISTENER.replace('SIGNAL', signal))
    }
    return await live(worker, { io, log, settings, supervisor, early })
  } finally {
    releasePidfile()
    releaseStrays()
    await log.close()
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
