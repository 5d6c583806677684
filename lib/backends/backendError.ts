import { CeleriacError, type ErrorFacts } from '../errors.js'

/** A result couldn't be stored or read. */
export class BackendError extends CeleriacError {
  constructor(message: string, options: { retriable?: boolean; facts?: ErrorFacts; cause?: unknown } = {}) {
    super('CELERIAC_BACKEND', message, { retriable: true, ...options })
  }
}
