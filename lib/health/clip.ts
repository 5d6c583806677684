/** Maximum number of characters of a text in a snapshot. */
export const LONGEST_TEXT = 300

/** Shortens a text for display: a longer one ends in an ellipsis. */
export function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}
