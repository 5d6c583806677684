import { DecodeError, readResult, writeResult } from './resultText.js'

/** Record that a chord keeps of a member that has ended. */
export interface ChordMember {
  /** The id of the task. */
  readonly id: string
  /** SUCCESS, FAILURE or REVOKED. */
  readonly state: string
  /** Result; an `ExceptionDict` unless the task has succeeded. */
  readonly result: unknown
}

/*
 * [1, "<id>", "<state>", <result>]   the 1 is the version; with Python's spaces, since the same text is the same member for a redis that
 *                                    counts them
 */

/**
 * Encodes a member as the text that a store counts. Mirrors what Celery's `RedisBackend.on_chord_part_return` writes.
 * @throws EncodeError for a value that can't be written
 */
export function encodeMember({ id, state, result }: ChordMember): string {
  return `${headOf(id, ', ')}${JSON.stringify(state)}, ${writeResult([result ?? null]).slice(1, -1)}]`
}

/**
 * Decodes what `encodeMember` or any Celery wrote.
 * @throws DecodeError if the text is not a member
 */
export function decodeMember(text: string): ChordMember {
  const value = readResult(text)
  const [, id, state, result] = Array.isArray(value) ? value : []
  if (typeof id !== 'string' || typeof state !== 'string')
    throw new DecodeError('a stored value of a chord is not the result of a member')
  return { id, state, result: result ?? null }
}

/** Returns whether the text of a member belongs to that task. */
export function isMemberOf(text: string, id: string): boolean {
  return headsOf(id).some((head) => text.startsWith(head))
}

/** How a member's text begins, up to its state, whoever wrote it. */
export function headsOf(id: string): readonly string[] {
  return [headOf(id, ', '), headOf(id, ',')]
}

function headOf(id: string, separator: string): string {
  return `[1${separator}${JSON.stringify(id)}${separator}`
}
