import { pythonStr } from '../pythonText.js'

/** The most characters kept of a field of an event. */
const LONGEST_FIELD = 16_384

/** Returns the text of a field, as Python shows it, cut to what a view may keep of each of many events. */
export function keptText(value: unknown, longest = LONGEST_FIELD): string {
  const text = pythonStr(value)
  // A mere slice would keep all of the text in memory.
  return text.length > longest ? Buffer.from(text.slice(0, longest), 'utf16le').toString('utf16le') : text
}
