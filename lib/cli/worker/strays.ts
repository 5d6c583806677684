import { coerceError } from '../../errors.js'
import type { Log } from '../../log/log.js'
import { repr } from '../../protocol/repr.js'
import type { ErrorSource } from '../io.js'

/**
 * Handles errors that nobody caught. An unhandled rejection comes from some task, and is logged; the worker continues.
 * An uncaught exception has left its code half done, and ends the process with exit code 1, as an unrecoverable error
 * does in Celery.
 * @returns a function that removes the handlers
 */
export function handleStrays({
  source,
  log,
  exit,
}: {
  source: ErrorSource
  log: Log
  exit(code: number): void
}): () => void {
  const logger = log.logger('process')
  const onRejection = (thrown: unknown): void => {
    const error = coerceError(thrown)
    logger.error(`Unhandled promise rejection: ${repr(error)}`, { error })
  }
  const onException = (thrown: unknown): void => {
    const error = coerceError(thrown)
    logger.critical(`Unrecoverable error: ${repr(error)}`, { error })
    void log.close().then(() => exit(1))
  }
  source.on('unhandledRejection', onRejection)
  source.on('uncaughtException', onException)
  return () => {
    source.off('unhandledRejection', onRejection)
    source.off('uncaughtException', onException)
  }
}
