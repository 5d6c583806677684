const WORDS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  on: true,
  y: true,
  t: true,
  '0': false,
  false: false,
  no: false,
  off: false,
  n: false,
  f: false,
}

/**
 * Returns the value of a switch from the words of Celery's `strtobool` and of click, in any case; undefined for any
 * other word.
 */
export function switchWord(word: string): boolean | undefined {
  const lower = word.toLowerCase()
  return Object.hasOwn(WORDS, lower) ? WORDS[lower] : undefined
}
