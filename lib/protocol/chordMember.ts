import { DecodeError, readResult, writeResult } from './resultText.js'

/** What a chord keeps of a member that has come to its end. */
export interface ChordMember {
  /** The id of the task. */
  readonly id: string
  /** SUCCESS, FAILURE or REVOKED. */
  readonly state: string
  /** The value; an `ExceptionDict` unless it has succeeded. */
  readonly result: unknown
}

/*
 * [1, "<id>", "<state>", <result>]   the 1 is the version; with Python's spaces, since the same text is the same member for a redis that
 *                                    counts them
 */

/**
 * The text that a store counts. Mirrors what Celery's `RedisBackend.on_chord_part_return` writes.
 * @throws EncodeError for a value that can't be written
 */
export function encodeMember({ id, state, result }: ChordMember): string {
  return `${headOf(id, ', ')}${JSON.stringify(state)}, ${writeResult([result ?? null]).slice(1, -1)}]`
}

/**
 * Reads what `encodeMember` or any Celery wrote.
 * @throws DecodeError for what is no member
 */
export function decodeMember(text: string): ChordMember {
  const value = readResult(text)
  const [, id, state, result] = Array.isArray(value) ? value : []
  if (typeof id !== 'string' || typeof state !== 'string')
    throw new DecodeError('a stored value of a chord is not the result of a member')
  return { id, state, result: result ?? null }
}

/** Whether such a text is of that task. */
export function isMemberOf(text: string, id: string): boolean {
  return text.startsWith(headOf(id, ', ')) || text.startsWith(headOf(id, ','))
}

function headOf(id: string, separator: string): string {
  return `[1${separator}${JSON.stringify(id)}${separator}`
}
