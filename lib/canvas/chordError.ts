import { CeleriacError } from '../errors.js'
import type { Backend } from '../ports.js'

/**
 * The reason why the body of a chord is not called: the failure that is stored in its place. Celery's exception of that
 * name, with its texts.
 */
export class ChordError extends CeleriacError {
  constructor(message: string, cause?: unknown) {
    super('CELERIAC_CHORD', message, { cause })
  }
}

/** Thrown when a result backend can't do what a canvas needs. Python's exception of that name. */
export class NotImplementedError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_NOT_IMPLEMENTED', message)
  }
}

const ADVICE = `

Note that a group chained with a task is also upgraded to be a chord,
as this pattern requires synchronization.

Result backends that supports chords: Redis, Database, Memcached, and more.`

/** The error for a chord that is sent over a backend without `chords`, with Python's text. */
export function noChords({ name, storesNothing }: Pick<Backend, 'name' | 'storesNothing'>): NotImplementedError {
  if (storesNothing)
    return new NotImplementedError(`Starting chords requires a result backend to be configured.${ADVICE}`)
  const scheme = /^[\w+-]*/.exec(name)?.[0] || name
  return new NotImplementedError(`The "${scheme}" result backend does not support chords!${ADVICE}`)
}
