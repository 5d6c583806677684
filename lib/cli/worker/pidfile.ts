import { closeSync, openSync, readFileSync, readlinkSync, unlinkSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { CeleriacError, coerceError } from '../../errors.js'

/** sysexits' EX_CANTCREAT: the exit code of a worker whose pidfile is in use. */
export const EX_CANTCREAT = 73

/** The pidfile belongs to a running process, or can't be written. */
export class PidfileError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_PIDFILE', message)
  }
}

export interface Pidfile {
  /** Removes the file if it is still ours. Idempotent. */
  release(): void
}

/**
 * Takes a pidfile (mode 0644, the number and a newline), as Celery does: a file that a dead process left, or that holds
 * no process id, is removed with a message; one with our own number, as in a container, is replaced. So is one whose
 * number another program has by now, as after a reboot: Celery would not start.
 * @throws PidfileError if a running worker holds it, or the file system refuses
 */
export function takePidfile(path: string, pid: number, say: (text: string) => void, isWorker = workerRuns): Pidfile {
  try {
    if (!create(path, pid)) {
      const holder = holderOf(path)
      if (holder !== null && holder !== pid && isWorker(holder)) {
        throw new PidfileError(
          `ERROR: Pidfile (${path}) already exists.\nSeems we're already running? (pid: ${holder})`,
        )
      }
      if (holder === null) say('Broken pidfile found - Removing it.')
      else if (holder !== pid) say('Stale pidfile exists - Removing it.')
      unlinkSync(path)
      if (!create(path, pid)) throw new PidfileError(`ERROR: Pidfile (${path}) was taken by another process just now`)
    }
  } catch (thrown) {
    if (thrown instanceof PidfileError) throw thrown
    throw new PidfileError(`ERROR: Pidfile (${path}) can't be written: ${coerceError(thrown).message}`)
  }
  let ours = true
  return {
    release() {
      if (!ours) return
      ours = false
      try {
        if (holderOf(path) === pid) unlinkSync(path)
      } catch (thrown) {
        say(`Pidfile (${path}) wasn't removed: ${coerceError(thrown).message}`)
      }
    },
  }
}

/** @returns false if the file exists */
function create(path: string, pid: number): boolean {
  try {
    const file = openSync(path, 'wx', 0o644)
    writeSync(file, `${pid}\n`)
    closeSync(file)
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw thrown
  }
}

/** @returns null if the content can't be the id of one process: 0 and negative numbers stand for process groups */
function holderOf(path: string): number | null {
  const text = readFileSync(path, 'utf8').trim()
  return /^\d+$/.test(text) && Number(text) > 0 ? Number(text) : null
}

/** Whether a process runs under this id and may be a worker, Celery's or ours. */
function workerRuns(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    // Celery also considers a process dead that it may not signal.
    return false
  }
  const command = commandOf(pid)
  return command === null || mayBeWorker(pid, command)
}

/**
 * @returns null if it can't be determined: without Linux's /proc. An empty list for a process that has ended, but was
 *   not reaped by its parent.
 */
function commandOf(pid: number): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return null
  }
}

/**
 * In doubt the process is a worker: two workers with one name are worse than one that doesn't start. A worker is
 * recognised by the name of its program (celeriac, celery, `[celeryd: ...]`), or by the name of ours if it was bundled
 * under another. If an app has set a process title, Node shows that in place of the command, without arguments.
 */
function mayBeWorker(pid: number, command: readonly string[]): boolean {
  if (command.length === 0) return false
  const own = basename(process.argv[1] ?? '')
  // The interpreter's directory doesn't matter.
  const words = command.map((word, at) => (at === 0 && word.startsWith('/') ? basename(word) : word))
  return words.some((word) => /celer/i.test(word) || basename(word) === own) || isTitle(pid, command)
}

function isTitle(pid: number, command: readonly string[]): boolean {
  if (command.length > 1) return false
  try {
    const program = basename(readlinkSync(`/proc/${pid}/exe`))
    return program === basename(process.execPath) && basename(command[0] ?? '') !== program
  } catch {
    return true
  }
}
