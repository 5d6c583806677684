import { CeleriacError } from '../errors.js'

/** The task wasn't ready in time; it may still become so. */
export class TimeoutError extends CeleriacError {
  /** The module of the class in Python. */
  static readonly excModule = 'celery.exceptions'

  constructor(id: string, seconds: number) {
    super('CELERIAC_RESULT_TIMEOUT', `The operation timed out: no result of task ${id} within ${seconds}s`, {
      retriable: true,
      facts: { id },
    })
  }
}
