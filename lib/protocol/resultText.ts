import { CeleriacError, coerceError } from '../errors.js'
import { readJson, writeJson } from './content/json.js'
import { unwrap, wrap } from './content/kombuTypes.js'
import { repr } from './repr.js'

/** A result that can't be written; Celery fails such a task with this exception. */
export class EncodeError extends CeleriacError {
  /** Arguments that Python's class is built from. */
  readonly args: readonly unknown[]

  constructor(thrown: unknown) {
    const cause = coerceError(thrown)
    const text = repr(cause)
    super('CELERIAC_ENCODE_RESULT', text, { cause })
    this.args = [text]
  }
}

/** Bytes in a backend that are not a result. */
export class DecodeError extends CeleriacError {
  constructor(message: string, cause?: unknown) {
    super('CELERIAC_DECODE_RESULT', message, { cause })
  }
}

/**
 * Writes the JSON that a backend keeps. Values that kombu has wrappers for (dates, bytes...) are wrapped; others that
 * JSON can't express are refused, with their place.
 * @throws EncodeError
 */
export function writeResult(document: Readonly<Record<string, unknown>> | readonly unknown[]): string {
  try {
    // Such a member would be left out, and a reader miss it.
    for (const value of Object.values(document)) {
      if (typeof value === 'function' || typeof value === 'symbol')
        throw new TypeError(`Object of type ${typeof value} is not JSON serializable`)
    }
    return writeJson(wrap(document))
  } catch (thrown) {
    throw new EncodeError(thrown)
  }
}

/**
 * Reads such a text, or what any Celery writes.
 * @throws DecodeError if the text is not valid JSON
 */
export function readResult(text: string): unknown {
  try {
    return unwrap(readJson(text))
  } catch (thrown) {
    throw new DecodeError(`a result is not valid JSON: ${coerceError(thrown).message}`, thrown)
  }
}
