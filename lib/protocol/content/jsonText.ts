import { writeJson } from './json.js'
import { wrap } from './kombuTypes.js'

/** The JSON that a value is sent as; null for one that has no such form: circular, NaN, with a `toJSON` that throws. */
export function jsonText(value: unknown): string | null {
  try {
    return writeJson(wrap(value))
  } catch {
    return null
  }
}
