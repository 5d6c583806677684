import { CeleriacError, coerceError } from '../errors.js'
import type { Backend, ChordPart, ChordStore, Logger } from '../ports.js'
import type { ChordMember } from '../protocol/chordMember.js'
import { decodeException, encodeException } from '../protocol/exception.js'
import { repr } from '../protocol/repr.js'
import { PROPAGATE_STATES } from '../protocol/result.js'
import { endsOf, failedIds, idOf } from './chordBody.js'
import { ChordError } from './chordError.js'
import { type EndOf, idsOf, joinGroup } from './joinGroup.js'
import { listOption } from './links.js'
import { type CanvasLimits, parseSignature } from './parse.js'
import { checkErrbacks } from './sentSize.js'
import { cloneSignature, isGroup, type Signature } from './signature.js'

/** What the completion of a chord needs from the member that completes it. */
export interface ChordTerms {
  readonly backend: Pick<Backend, 'chords' | 'get' | 'groups'>
  readonly limits: CanvasLimits
  readonly log: Logger
  /**
   * Sends the body, as a child of the member. Retriable errors are rethrown.
   * @param completion which is the same when the body is sent again for this; null if the store names none
   */
  send(body: Signature, results: readonly unknown[], completion: string | null): Promise<void>
  /** Calls the error callbacks of a task that has failed without having run: it is its own root and parent. */
  callErrbacks(errbacks: readonly Signature[], id: string, error: Error): Promise<void>
  /** Stores the failure of such a task. */
  fail(id: string, error: Error): Promise<void>
}

/*
 * part counted   the last one?   all succeeded?   body sent?       what is done
 * yes            no              -                -                nothing: another member completes it
 * yes            yes             yes              yes              the count is dropped
 * yes            yes             yes              no, for good     Callback error: under the body's id; the count is dropped
 * yes            yes             no               -                Dependency ... raised, or Join error, under the body's id; the count expires
 */
/**
 * Counts the end of a member. If it was the last one, sends the body with the results, or stores why not in the body's
 * place. May be repeated for the same member, when its message is delivered again: so a crash in between loses nothing.
 * Mirrors `on_chord_part_return`. Does nothing if the backend can't count: such a chord can't have been sent.
 * @throws retriable errors of the backend or of `terms`
 */
export async function returnPart(part: ChordPart, body: Signature, terms: ChordTerms): Promise<void> {
  const { backend, log } = terms
  const { chords } = backend
  const completion = (await chords?.addPart(part)) ?? null
  if (!chords || completion === null) return
  const { groupId } = part
  const joined = await join(groupId, chords, terms)
  if (joined instanceof ChordError) {
    log.error(`Chord ${repr(groupId)} raised: ${repr(joined)}`, { error: joined })
    await failBody(body, joined, terms)
    return
  }
  try {
    await terms.send(cloneSignature(body), joined, completion)
  } catch (thrown) {
    const error = coerceError(thrown)
    if (mayGoBetter(error)) throw error
    log.error(`Chord callback for ${repr(groupId)} raised: ${repr(error)}`, { error })
    await failBody(body, new ChordError(`Callback error: ${repr(error)}`), terms)
  }
  await chords.close(groupId)
}

/**
 * The failure of a chord whose body never runs: its error callbacks are called and its states stored; if it was a
 * member of a chord itself, that chord is informed.
 */
export async function failBody(body: Signature, error: ChordError, terms: ChordTerms): Promise<void> {
  const { cause } = error
  // As in Celery: the tasks of a group get the cause itself.
  const shown = isGroup(body) && cause instanceof Error ? cause : error
  const failed = isGroup(body) ? endsOf(body) : [body]
  const stored = await callErrbacks(listOption(body.options, 'link_error'), failed, shown, terms)
  // The steps that were to follow it fail too.
  for (const unrun of [body, ...listOption(body.options, 'chain')]) {
    for (const id of failedIds(unrun)) await terms.fail(id, stored)
    for (const end of endsOf(unrun)) await returnOuter(end, stored, terms)
  }
}

/** @returns the error to store: an error of the callbacks themselves says more, as with Celery */
async function callErrbacks(
  errbacks: readonly Signature[],
  failed: readonly Signature[],
  error: Error,
  { callErrbacks, limits, log }: ChordTerms,
): Promise<Error> {
  if (errbacks.length === 0) return error
  try {
    checkErrbacks(failed, errbacks, limits.elements)
    for (const id of failed.map(idOf)) if (id !== null) await callErrbacks(errbacks, id, error)
    return error
  } catch (thrown) {
    const fault = coerceError(thrown)
    if (mayGoBetter(fault)) throw fault
    log.error(`The error callbacks of a chord were not called: ${repr(fault)}`, { error: fault })
    return fault
  }
}

/** A body that never runs would otherwise keep its own chord waiting forever. */
async function returnOuter({ options }: Signature, error: Error, terms: ChordTerms): Promise<void> {
  const { chord, group_id: groupId, group_index: groupIndex, task_id: id } = options
  if (!chord || typeof groupId !== 'string' || typeof id !== 'string') return
  const part: ChordPart = {
    groupId,
    groupIndex: typeof groupIndex === 'number' ? groupIndex : null,
    id,
    state: 'FAILURE',
    result: encodeException(error),
    isRepeated: true,
  }
  await returnPart(part, parseSignature(chord, 'chord', terms.limits), terms)
}

async function join(
  groupId: string,
  chords: ChordStore,
  { backend }: ChordTerms,
): Promise<readonly unknown[] | ChordError> {
  try {
    // Saved only for a header with nested groups, whose structure the order of the members alone doesn't show.
    const saved = await backend.groups?.restore(groupId)
    const members = await chords.members(groupId)
    if (!saved) return valuesOf(members)
    const joined = await joinGroup(saved, endOf(members, backend))
    if ('culprit' in joined) return joinError(joined.culprit.error)
    // The structure has no task for a group without any, nor for a member that was added later.
    const ids = new Set(idsOf(saved))
    const others = valuesOf(members.filter(({ id }) => !ids.has(id)))
    return others instanceof ChordError ? others : joined.values
  } catch (thrown) {
    const error = coerceError(thrown)
    if (mayGoBetter(error)) throw error
    return joinError(error)
  }
}

function joinError(error: Error): ChordError {
  // Without a cause, as with Celery: the tasks of a group that is the body get this text as well.
  return new ChordError(`Join error: ${repr(error)}`)
}

function valuesOf(members: readonly ChordMember[]): readonly unknown[] | ChordError {
  const failed = members.find(({ state }) => PROPAGATE_STATES.has(state))
  if (failed === undefined) return members.map(({ result }) => result)
  return dependencyError(failed.id, decodeException(failed.result))
}

/** The failure of a chord by that of one member, in Python's words. */
export function dependencyError(id: string, error: Error): ChordError {
  return new ChordError(`Dependency ${id} raised ${repr(error)}`, error)
}

/** Counted members include ignored results as well. */
function endOf(members: readonly ChordMember[], backend: Pick<Backend, 'get'>): EndOf {
  const counted = new Map(members.map((member) => [member.id, member]))
  return async (id) => {
    const member = counted.get(id)
    if (member) return member
    const meta = await backend.get(id)
    return meta && { state: meta.status, result: meta.result }
  }
}

/** Whether an error says that the same call may succeed later. */
export function mayGoBetter(error: unknown): boolean {
  return error instanceof CeleriacError && error.retriable
}
