import { CeleriacError, coerceError } from '../errors.js'
import type { Backend } from '../ports.js'
import { isTuple } from '../protocol/groupResult.js'
import { repr } from '../protocol/repr.js'
import type { ResultTuple } from '../protocol/result.js'
import { ChordError, noChords } from './chordError.js'
import { type ChordTerms, dependencyError, failBody, mayGoBetter } from './chordPart.js'
import { type EndOf, isReady, joinGroup, NotReadyError } from './joinGroup.js'
import type { Signature } from './signature.js'
import { SignatureError } from './signatureError.js'

/** The arguments of `celery.chord_unlock`. */
export interface ChordToUnlock {
  readonly groupId: string
  readonly body: Signature
  /** The results of the header: Celery's tuples. */
  readonly header: readonly unknown[]
}

export interface UnlockTerms extends Omit<ChordTerms, 'backend'> {
  readonly backend: Pick<Backend, 'get' | 'name' | 'storesNothing'>
  /** Whether the header may be checked once more. */
  readonly mayWait: boolean
}

/*
 * header                         what is done
 * can't be asked for, for good   the failure is stored in the place of the body
 * not ended, may wait            it is to be looked at again
 * not ended, may not             the failure is stored in the place of the body
 * a member has failed            the failure is stored in the place of the body
 * all have succeeded             the body is sent
 */
/**
 * Checks a chord over a backend that can't count its members. Mirrors `celery.chord_unlock`, which never gives up.
 * @returns whether to check it again
 * @throws retriable errors of the backend or of `terms`; SignatureError for an invalid header
 */
export async function unlockChord(chord: ChordToUnlock, terms: UnlockTerms): Promise<boolean> {
  const { body, groupId } = chord
  const { backend, log, mayWait } = terms
  const header = headerOf(chord)
  // A backend that can't count can't count for the chord of the body either.
  const failing = { ...terms, backend: { get: backend.get.bind(backend) } }
  const endOf: EndOf = async (id) => {
    const meta = await backend.get(id)
    return meta && { state: meta.status, result: meta.result }
  }
  const end = await endOfHeader(header, endOf, terms)
  if (end === null && mayWait) return true
  if (end === null || end instanceof ChordError) {
    const error = end ?? new ChordError('The header did not end before celery.chord_unlock had used up its retries')
    log.error(`Chord ${repr(groupId)} raised: ${repr(error)}`, { error })
    await failBody(body, error, failing)
    return false
  }
  try {
    await terms.send(body, end, null)
  } catch (thrown) {
    const error = coerceError(thrown)
    if (mayGoBetter(error)) throw error
    log.error(`Chord ${repr(groupId)} raised: ${repr(error)}`, { error })
    await failBody(body, new ChordError(`Callback error: ${repr(error)}`, error), failing)
  }
  return false
}

/** @returns null while it has not ended */
async function endOfHeader(
  header: ResultTuple,
  endOf: EndOf,
  { backend }: UnlockTerms,
): Promise<readonly unknown[] | ChordError | null> {
  try {
    if (!(await isReady(header, endOf))) return null
    const joined = await joinGroup(header, endOf)
    if ('values' in joined) return joined.values
    const { error, id } = joined.culprit
    return error instanceof NotReadyError ? null : dependencyError(id, error)
  } catch (thrown) {
    if (mayGoBetter(thrown)) throw thrown
    // Results that are sent to the sender can't be read by anyone else.
    if (thrown instanceof CeleriacError) return new ChordError(noChords(backend).message, thrown)
    throw thrown
  }
}

function headerOf({ groupId, header }: ChordToUnlock): ResultTuple {
  if (!Array.isArray(header) || !header.every(isTuple)) throw new SignatureError('result', 'must be a list of results')
  return [[groupId, null], header]
}
