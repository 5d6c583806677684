const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)([.,]\d+)?)?(Z|[+-]\d{2}(?::?\d{2})?(?::?\d{2})?)?$/i

/**
 * Parses what Python's `isoformat()` writes, and similar ISO 8601 times: a fraction of any length, `Z` or an offset.
 * Without an offset the time is UTC, as in Celery.
 * @returns wall-clock milliseconds, with their fraction; null if the text is not a time
 */
export function parseTime(text: string): number | null {
  const parts = ISO.exec(text)
  if (!parts) return null
  const [, date, clock = '00:00', fraction = '', offset = 'Z'] = parts
  const whole = Date.parse(`${date}T${clock.length === 5 ? `${clock}:00` : clock}${spelled(offset)}`)
  if (Number.isNaN(whole)) return null
  return fraction === '' ? whole : whole + Number(`0.${fraction.slice(1, 7)}`) * 1000
}

/** `Date.parse` wants `+hh:mm`; Python also writes `+hhmm`, `+hh` and, for historic zones, seconds. */
function spelled(offset: string): string {
  if (offset.toUpperCase() === 'Z') return 'Z'
  const digits = offset.slice(1).replaceAll(':', '')
  return `${offset[0]}${digits.slice(0, 2)}:${digits.slice(2, 4) || '00'}`
}
