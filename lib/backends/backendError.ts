import { CeleriacError, type ErrorFacts } from '../errors.js'

/** A result couldn't be stored or read. */
export class BackendError extends CeleriacError {
  constructor(message: string, options: { retriable?: boolean; facts?: ErrorFacts; cause?: unknown } = {}) {
    super('CELERIAC_BACKEND', message, { retriable: true, ...options })
  }
}

/** Whether the same call may succeed later. An unknown error doesn't say, so the call is retried. */
export function isRetriable(error: unknown): boolean {
  return !(error instanceof CeleriacError) || error.retriable
}
