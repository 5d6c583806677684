import { CeleriacError } from '../errors.js'

/**
 * Why a message can't become a request. Stable words: they label the counter of rejected messages.
 * The first three are Celery's own cases; the rest are those on which Python's worker crashes or loops.
 */
export const BAD_MESSAGE_REASONS = [
  'undecodable',
  'refused-content',
  'unknown-message',
  'unsupported-compression',
  'missing-id',
  'missing-content-type',
  'invalid-header',
  'invalid-body',
  'invalid-time',
  'too-large',
  'too-deep',
  'too-many-items',
  'too-many-headers',
] as const
export type BadMessageReason = (typeof BAD_MESSAGE_REASONS)[number]

/** A message that must not run: settled where it is found, logged and counted. */
export class BadMessage extends CeleriacError {
  constructor(
    readonly reason: BadMessageReason,
    message: string,
    cause?: unknown,
  ) {
    super('CELERIAC_BAD_MESSAGE', message, { cause, facts: { reason } })
  }

  /**
   * Celery acknowledges messages that it can't decode, and rejects (to a dead-letter exchange) those that it can't
   * accept.
   */
  get acknowledged(): boolean {
    return this.reason === 'undecodable'
  }
}
