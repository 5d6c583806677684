import { returnPart } from '../canvas/chordPart.js'
import type { CallParts } from '../canvas/merge.js'
import { type CanvasLimits, parseSignature } from '../canvas/parse.js'
import type { Signature } from '../canvas/signature.js'
import { SignatureError } from '../canvas/signatureError.js'
import type { Backend, ChordPart, Clock, Logger } from '../ports.js'
import type { AmqpTable } from '../protocol/amqp.js'
import { newCopy } from '../protocol/bodyCopy.js'
import { encodeException } from '../protocol/exception.js'
import type { Ended } from './ended.js'
import type { Errbacks } from './errbacks.js'
import { finalState } from './finalState.js'
import type { Results } from './results.js'
import type { Unrun } from './unrun.js'

export interface ChordsOptions {
  readonly backend: Pick<Backend, 'chords' | 'get' | 'groups' | 'patient' | 'subscribe'>
  readonly clock: Clock
  readonly joinTimeoutMs: number
  readonly limits: CanvasLimits
  readonly results: Results
  readonly errbacks: Errbacks
  readonly log: Logger
  send(sig: Signature, call: CallParts, headers: AmqpTable): Promise<void>
}

/** Reports the ends of messages to the chords that they belong to. */
export class Chords {
  constructor(private readonly options: ChordsOptions) {}

  /** Counts a member that has ended. Does nothing for a message that is not a member. */
  async part(ended: Ended, state: string, result: unknown): Promise<void> {
    const { embed, group: groupId, headers, id } = ended.message
    if (embed.chord === null || groupId === null) return
    const groupIndex = indexOf(headers.group_index)
    await this.count(ended, { id, state, result, groupId, groupIndex, isRepeated: ended.isRepeated }, embed.chord)
  }

  /** Counts a member that never runs, because of a failure before it. */
  async unrunPart(ended: Ended, { counts, id, options }: Unrun, error: Error): Promise<void> {
    const { chord, group_id: groupId } = options
    if (!counts || typeof groupId !== 'string' || !chord) return
    const fields = { id, state: 'FAILURE', result: encodeException(error), isRepeated: ended.isRepeated }
    await this.count(ended, { ...fields, groupId, groupIndex: indexOf(options.group_index) }, chord)
  }

  private async count(ended: Ended, part: ChordPart, chord: unknown): Promise<void> {
    const { clock, errbacks, joinTimeoutMs, limits, log, results, send } = this.options
    const { backend } = this.options
    if (!backend.chords) return
    const { rootId } = ended.message
    const body = bodyOf(chord, limits)
    if (body instanceof SignatureError) {
      log.error(`Chord ${part.groupId} can't be completed: ${body.message}`)
      return
    }
    await returnPart(part, body, {
      backend: {
        chords: backend.chords,
        ...(backend.groups ? { groups: backend.groups } : {}),
        // A Python worker may have taken part of a header for the whole.
        get: (id) => finalState(id, { backend, clock, timeoutMs: joinTimeoutMs }),
      },
      limits,
      log,
      send: (sig, values, completion) =>
        send(sig, { args: [values] }, completion === null ? {} : newCopy(part.groupId, completion)),
      callErrbacks: (sigs, id, error) =>
        errbacks.call({ id, rootId, info: () => ({ ...ended.info(), id, task: body.task }) }, sigs, error),
      fail: (id, error) => results.failedUnrun({ id, options: {}, counts: false }, error, ended.children),
    })
  }
}

/** The body of a member that never runs has not been validated yet. */
function bodyOf(chord: unknown, limits: CanvasLimits): Signature | SignatureError {
  try {
    return parseSignature(chord, 'chord', limits)
  } catch (thrown) {
    if (thrown instanceof SignatureError) return thrown
    throw thrown
  }
}

function indexOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
