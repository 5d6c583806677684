import { CeleriacError } from '../errors.js'
import type { Backend } from '../ports.js'

/** Why the body of a chord is not called: the failure that is stored in its place. Celery's exception of that name, with its texts. */
export class ChordError extends CeleriacError {
  constructor(message: string, cause?: unknown) {
    super('CELERIAC_CHORD', message, { cause })
  }
}

/** A result backend that can't do what a canvas asks of it. Python's exception of that name. */
export class NotImplementedError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_NOT_IMPLEMENTED', message)
  }
}

const ADVICE = `

Note that a group chained with a task is also upgraded to be a chord,
as this pattern requires synchronization.

Result backends that supports chords: Redis, Database, Memcached, and more.`

/** What to raise where a chord is to be sent over a backend without `chords`, in Python's words. */
export function noChords({ name, storesNothing }: Pick<Backend, 'name' | 'storesNothing'>): NotImplementedError {
  if (storesNothing)
    return new NotImplementedError(`Starting chords requires a result backend to be configured.${ADVICE}`)
  const scheme = /^[\w+-]*/.exec(name)?.[0] || name
  return new NotImplementedError(`The "${scheme}" result backend does not support chords!${ADVICE}`)
}
