/** The most characters of a text that a snapshot has. */
export const LONGEST_TEXT = 300

/** A text as it is shown: one that is longer ends in an ellipsis. */
export function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}
