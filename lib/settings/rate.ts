import type { Parse } from './row.js'

const PERIODS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/**
 * Parses a rate as Celery does: `10/s`, `10/m`, `0.5/h`, or a number per second; 0 and an empty text mean no limit.
 * @returns runs per second; null for no limit
 * @throws TypeError for anything else
 */
export const rate: Parse<number | null, string | number | null> = (raw) => {
  if (raw === null || raw === undefined || raw === '' || raw === 0) return null
  const [, amount = '', period = 's'] = /^(\d+(?:\.\d+)?|\.\d+)(?:\/([smh]))?$/.exec(String(raw).trim()) ?? []
  if (amount === '') throw new TypeError('expected a rate such as 10/s, 10/m, 0.5/h or a number a second')
  const perSecond = Number(amount) / (PERIODS[period] ?? 1)
  return perSecond === 0 ? null : perSecond
}

/** Checks a rate, and keeps it as it was written. */
export const rateText: Parse<string | null, string | number | null> = (raw) =>
  rate(raw) === null ? null : String(raw).trim()
