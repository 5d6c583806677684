import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import type { Io } from '../io.js'

/**
 * Messages from a worker to the process that started it: signals no longer kill it; it has started; it asks to be
 * started again once it has ended.
 */
const LISTENING = 'listening'
export const STARTED = 'started'
const RESTART = 'restart'

/** Set for the worker that a stand-in runs. */
const STOOD_IN_FOR = 'CELERIAC_STOOD_IN_FOR'
/** Celery's own marker for a worker that is in the background already: `--detach` then has no effect. */
const IN_BACKGROUND = 'C_FAKEFORK'

const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1'] as const

export interface Relaunch {
  readonly io: Io
  /** The working directory of the first start, against which a relative `--workdir` is resolved. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Tells a stand-in that this process handles signals. The two are one worker for whoever started them: when the
 * stand-in is killed, this process must not go on beside the next one.
 */
export async function tellStandIn({ endWithParent, env, tellParent }: Io): Promise<void> {
  if (env[STOOD_IN_FOR] === undefined) return
  endWithParent()
  await tellParent(LISTENING)
}

export function isInBackground({ env }: Io): boolean {
  return Boolean(env[IN_BACKGROUND])
}

/**
 * `--detach`: runs the same command as a daemon, in a session of its own, with its output going to the log file or
 * nowhere, and waits until it has started. Celery doesn't wait, and exits with 0 whatever happens to the daemon.
 * @param file the log file, null for none
 * @param executable `--executable`: another interpreter
 * @returns the exit code: 0 once the worker has started, its own if it ends before
 */
export async function detach(
  { io, cwd, env }: Relaunch,
  { file, executable }: { readonly file: string | null; readonly executable: string | null },
): Promise<number> {
  const [interpreter, ...args] = io.command
  const output = file === null ? 'ignore' : openSync(file, 'a', 0o644)
  const child = spawn(executable ?? interpreter, args, {
    cwd,
    env: { ...env, [IN_BACKGROUND]: '1' },
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  })
  if (typeof output === 'number') closeSync(output)
  const started = new Promise<0>((resolve) => {
    child.on('message', (message) => {
      if (message === STARTED) resolve(0)
    })
  })
  const code = await Promise.race([started, endOf(child, io)])
  if (child.connected) child.disconnect()
  child.unref()
  if (code !== 0) io.stderr.write(`The worker failed to start, with exit code ${code}${file ? `: see ${file}` : ''}\n`)
  return code
}

/**
 * HUP: runs the same command again, in a process that no longer holds anything. If Node can, the program of this
 * process is replaced. If it can't (Node 20), this process stays as a stand-in: it runs the new worker as its child,
 * passes signals on, and ends with its exit code, so that for a supervisor (systemd, a container) the process id stays
 * the same.
 */
export async function restart(relaunch: Relaunch): Promise<number> {
  const { io, cwd, env } = relaunch
  if (env[STOOD_IN_FOR] !== undefined && (await io.tellParent(RESTART))) return 0
  if (io.cwd() !== cwd) io.chdir(cwd)
  if (io.execve) {
    const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
    return io.execve(io.command[0], io.command, Object.fromEntries(given))
  }
  return standIn(relaunch)
}

async function standIn({ io, env }: Relaunch): Promise<number> {
  const [interpreter, ...args] = io.command
  let pass: (signal: NodeJS.Signals) => void = () => undefined
  const listeners = PASSED_ON.map((signal) => [signal, () => pass(signal)] as const)
  for (const [signal, listener] of listeners) io.signals.on(signal, listener)
  let code = 0
  for (let again = true; again; ) {
    again = false
    const child = spawn(interpreter, args, {
      env: { ...env, [STOOD_IN_FOR]: String(io.pid) },
      // A session of its own: signals from a terminal reach only the stand-in, and only once.
      detached: true,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    })
    // A new process is killed by every signal until it listens, and a second HUP would end the worker for good.
    let held: NodeJS.Signals[] | null = []
    pass = (signal) => void (held?.push(signal) ?? child.kill(signal))
    child.on('message', (message) => {
      for (const signal of held ?? []) child.kill(signal)
      held = null
      if (message === RESTART) again = true
    })
    code = await endOf(child, io)
  }
  for (const [signal, listener] of listeners) io.signals.off(signal, listener)
  return code
}

/** The exit code of a child, as a shell reports it; 1 if it can't be started. */
function endOf(child: ChildProcess, io: Io): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      io.stderr.write(`The worker can't be started: ${error.message}\n`)
      resolve(1)
    })
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}
