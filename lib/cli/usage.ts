import { CeleriacError } from '../errors.js'

/** sysexits' EX_UNAVAILABLE: what Celery ends with when no worker replies. */
export const EX_UNAVAILABLE = 69

/** A wrong command line: told as `Error: ...`, exit code 2. */
export class UsageError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_USAGE', message)
  }
}

/** A command that could not do what it was asked: told as `Error: ...`, and ends with this exit code. */
export class CommandError extends CeleriacError {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super('CELERIAC_COMMAND', message)
  }
}
