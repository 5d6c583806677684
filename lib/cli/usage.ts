import { CeleriacError } from '../errors.js'

/** sysexits' EX_UNAVAILABLE: Celery's exit code when no worker replies. */
export const EX_UNAVAILABLE = 69

/** A wrong command line: printed as `Error: ...`, with exit code 2. */
export class UsageError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_USAGE', message)
  }
}

/** A command that failed: printed as `Error: ...`, and ends with this exit code. */
export class CommandError extends CeleriacError {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super('CELERIAC_COMMAND', message)
  }
}
