import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { CeleriacError, coerceError } from '../errors.js'

/** sysexits' EX_CANTCREAT: the exit code of a worker whose pidfile is in use. */
export const EX_CANTCREAT = 73

/** The pidfile belongs to a process that runs, or can't be written. */
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
 * Takes a pidfile (mode 0644, the number and a newline), as Celery does: one that a dead process left, or that holds no number, is
 * removed and said so; one with our own number, as in a container, is replaced.
 * @throws PidfileError if a running process holds it, or the file system refuses
 */
export function takePidfile(path: string, pid: number, say: (text: string) => void, isAlive = pidIsAlive): Pidfile {
  try {
    if (!create(path, pid)) {
      const holder = holderOf(path)
      if (holder !== null && holder !== pid && isAlive(holder)) {
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

/** @returns false if the file is there */
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

function holderOf(path: string): number | null {
  const text = readFileSync(path, 'utf8').trim()
  return /^\d+$/.test(text) ? Number(text) : null
}

function pidIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    // Celery takes a process that it may not signal for a dead one, too.
    return false
  }
}
