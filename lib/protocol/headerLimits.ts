import type { AmqpTable } from './amqp.js'
import { BadMessage } from './badMessage.js'

export interface HeaderLimits {
  /** Headers and the entries of tables and lists in them, added up. Default: no limit. */
  readonly maxHeaders?: number
  /** Levels of tables and lists. */
  readonly maxNesting: number
}

/**
 * Checks that the headers are few and shallow enough for later code to walk through. Their bytes are limited by the
 * broker: they come in one frame, of 128 KiB unless `frame_max` says otherwise.
 * @throws BadMessage
 */
export function checkHeaders(headers: AmqpTable, limits: HeaderLimits): void {
  count(headers, 0, 1, limits)
}

/** @param before entries counted before these @returns the total */
function count(table: object, before: number, depth: number, limits: HeaderLimits): number {
  if (depth > limits.maxNesting) {
    const message = `the headers are nested deeper than the ${limits.maxNesting} of worker_max_message_nesting`
    throw new BadMessage('too-deep', message)
  }
  const values: readonly unknown[] = Array.isArray(table) ? table : Object.values(table)
  let counted = before
  for (const value of values) {
    counted++
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) continue
    counted = count(value, counted, depth + 1, limits)
  }
  if (counted > (limits.maxHeaders ?? Number.POSITIVE_INFINITY)) {
    const message = `the headers have more entries than the ${limits.maxHeaders} of worker_max_message_headers`
    throw new BadMessage('too-many-headers', message)
  }
  return counted
}
