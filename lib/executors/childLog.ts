import { coerceError, textOf } from '../errors.js'
import { LOG_LEVELS, type Logger } from '../ports.js'
import type { FromChild, LoggedLevel } from './messages.js'
import { pack } from './parcel.js'

/**
 * Makes the log of a child: the worker writes its lines.
 * @param job number of the job whose task writes them; null for none
 */
export function childLog(
  levels: readonly LoggedLevel[],
  job: number | null,
  send: (message: FromChild) => void,
): Logger {
  const line =
    (level: LoggedLevel) =>
    (message: string, facts?: Record<string, unknown>): void => {
      if (!levels.includes(level)) return
      const text = lineOf(message)
      try {
        send({ type: 'log', job, level, message: text, facts: pack(facts) })
      } catch (thrown) {
        // A log line must not fail because of its facts.
        send({ type: 'log', job, level, message: text, facts: { facts: coerceError(thrown).message } })
      }
    }
  return {
    debug: line('DEBUG'),
    info: line('INFO'),
    warning: line('WARNING'),
    error: line('ERROR'),
    critical: line('CRITICAL'),
    isEnabled: (level) => levels.some((each) => LOG_LEVELS.indexOf(each) <= LOG_LEVELS.indexOf(level)),
  }
}

/** In JavaScript anything can be logged. */
function lineOf(message: unknown): string {
  return typeof message === 'string' ? message : textOf(message)
}
