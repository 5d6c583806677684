import { CeleriacError, coerceError } from '../errors.js'
import { readJson, writeJson } from './content/json.js'
import { unwrap, wrap } from './content/kombuTypes.js'
import { repr } from './repr.js'

/** A result that can't be written; Celery settles such a task as failed with this exception. */
export class EncodeError extends CeleriacError {
  /** What Python's class is built from. */
  readonly args: readonly unknown[]

  constructor(thrown: unknown) {
    const cause = coerceError(thrown)
    const text = repr(cause)
    super('CELERIAC_ENCODE_RESULT', text, { cause })
    this.args = [text]
  }
}

/** Bytes in a backend that are no result. */
export class DecodeError extends CeleriacError {
  constructor(message: string, cause?: unknown) {
    super('CELERIAC_DECODE_RESULT', message, { cause })
  }
}

/**
 * The JSON of what a backend keeps: what kombu has wrappers for (dates, bytes...) is wrapped; what has no JSON form is refused, with its place.
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
 * The value of such a text, and of what any Celery writes.
 * @throws DecodeError for what is no JSON
 */
export function readResult(text: string): unknown {
  try {
    return unwrap(readJson(text))
  } catch (thrown) {
    throw new DecodeError(`a result is not valid JSON: ${coerceError(thrown).message}`, thrown)
  }
}
