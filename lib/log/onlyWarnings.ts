import type { Logger } from '../ports.js'

/** A log for processes without a worker: writes warnings and above only. */
export function onlyWarnings(say: (message: string, facts?: Record<string, unknown>) => void): Logger {
  const nothing = (): void => undefined
  return {
    debug: nothing,
    info: nothing,
    warning: say,
    error: say,
    critical: say,
    isEnabled: (level) => level !== 'DEBUG' && level !== 'INFO',
  }
}
