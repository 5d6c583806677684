import { writeJson } from './json.js'
import { wrap } from './kombuTypes.js'

/**
 * Returns the JSON that a value is sent as; null for a value that JSON can't express: circular, NaN, with a `toJSON`
 * that throws.
 */
export function jsonText(value: unknown): string | null {
  try {
    return writeJson(wrap(value))
  } catch {
    return null
  }
}
