import { constants } from 'node:os'
import { AttributeError, ValueError } from './arguments.js'

const NUMBERS: Readonly<Record<string, number>> = { ...constants.signals }

/**
 * Returns the number of a signal given by its name, with or without `SIG`, or by its number; by default SIGTERM.
 * Mirrors `celery.platforms.Signals.signum`.
 * @throws TypeError, AttributeError in Python's words for what is not the name of a signal; ValueError for a number
 * that no signal has
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
