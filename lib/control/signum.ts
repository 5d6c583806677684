import { constants } from 'node:os'
import { AttributeError, ValueError } from './arguments.js'

const NUMBERS: Readonly<Record<string, number>> = { ...constants.signals }

/**
 * The number of a signal that is given by its name, with or without `SIG`, or by its number; SIGTERM where none is given. Mirrors
 * `celery.platforms.Signals.signum`.
 * @throws TypeError, AttributeError in Python's words for what is no name of a signal; ValueError for a number that none has
 */
export function signum(signal: unknown): number {
  if (signal === undefined || signal === null || signal === '' || signal === 0) return constants.signals.SIGTERM
  if (typeof signal === 'number' && Number.isInteger(signal)) {
    if (Object.values(NUMBERS).includes(signal)) return signal
    throw new ValueError(`there is no signal ${signal}`)
  }
  if (typeof signal !== 'string' || !/[A-Z]/.test(signal) || signal !== signal.toUpperCase()) {
    throw new TypeError('signal name must be uppercase string.')
  }
  const name = signal.startsWith('SIG') ? signal : `SIG${signal}`
  const number = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined
  if (number === undefined) throw new AttributeError(`module 'signal' has no attribute '${name}'`)
  return number
}
