/** A power of two: the texts of some dozens of kinds of messages seldom meet in one place. */
const PLACES = 512
/** Bytes. Longer texts are seldom names, and have one place for each length, so that ids don't drive out names. */
const LONGEST_NAME = 32
/** Bytes: a text that is longer is read anew. */
const LONGEST = 128

/**
 * Reads short texts, most of which every message repeats: names of headers, tasks and queues; an id is also the root id
 * and the correlation id. A text that was read lately is taken from memory, where it then exists once: messages that
 * wait are smaller, and comparing a few bytes costs less than decoding them.
 */
export class RecentTexts {
  private readonly texts: string[] = new Array<string>(PLACES + LONGEST + 1).fill('')

  /** The bytes as text. Invalid UTF-8 is replaced as `Buffer.toString` does. */
  read(bytes: Buffer, from: number, to: number): string {
    const length = to - from
    if (length > LONGEST || length === 0) return bytes.toString('utf8', from, to)
    const place = length > LONGEST_NAME ? PLACES + length : placeOf(length, bytes[from], bytes[to - 1])
    const recent = this.texts[place] as string
    if (recent.length === length && isSame(recent, bytes, from)) return recent
    const text = bytes.toString('utf8', from, to)
    // Of other lengths are texts that aren't ASCII: their bytes can't be compared so simply.
    if (text.length === length) this.texts[place] = text
    return text
  }
}

function placeOf(length: number, first = 0, last = 0): number {
  return (length * 61 + first * 7 + last * 13) & (PLACES - 1)
}

/** A byte that was replaced is a character that no byte equals. */
function isSame(text: string, bytes: Buffer, from: number): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[from + at]) return false
  return true
}
