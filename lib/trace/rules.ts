import type { Policy } from '../request/policy.js'
import type { Ending } from '../request/state.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Outcome } from './outcome.js'

/** What is done with a message. `hold`: stays unacknowledged, and runs again here. `leave`: nothing is done with it. */
export type Fate = 'ack' | 'reject' | 'give back' | 'hold' | 'leave'

/** What is done at the end of a run. */
export interface Rule {
  /** The state to store, unless results are ignored. */
  readonly store: 'SUCCESS' | 'FAILURE' | 'RETRY' | 'REVOKED' | null
  readonly message: Fate
  /** Events to send, in this order, after the message was settled. */
  readonly events: readonly ((keyof TaskEvents & Ending) | 'cancelled')[]
}

const rule = (store: Rule['store'], message: Fate, ...events: Rule['events']): Rule => ({ store, message, events })

const FAILED = rule('FAILURE', 'leave', 'failed')
const NOTHING = rule(null, 'leave')

/**
 * How each run is settled, next to Celery's own table: `early` where the message was acknowledged before the run,
 * `late` (`acks_late`) where it wasn't. Celery gives back by `reject(requeue=True)`, Celeriac by `nack`, which keeps
 * the order and does not count as a failed delivery.
 */
export const RULES = {
  succeeded: {
    counts: 'succeeded',
    early: rule('SUCCESS', 'leave', 'succeeded'),
    late: rule('SUCCESS', 'ack', 'succeeded'),
  },
  /** An error, the hard time limit, or a lost process, with `acks_on_failure_or_timeout` (the default). */
  failed: { counts: 'failed', early: FAILED, late: rule('FAILURE', 'ack', 'failed') },
  /** An error or a lost process without `acks_on_failure_or_timeout`. */
  failedUnacked: { counts: 'failed', early: FAILED, late: rule('FAILURE', 'reject', 'rejected', 'failed') },
  /** The hard time limit without `acks_on_failure_or_timeout`. */
  timedOutUnacked: { counts: 'failed', early: FAILED, late: rule('FAILURE', 'give back', 'rejected') },
  /** A lost process with `reject_on_worker_lost`. */
  lostUnacked: { counts: 'failed', early: FAILED, late: rule(null, 'give back', 'rejected') },
  /** The message of the next try is published already. */
  retried: { counts: 'retried', early: rule('RETRY', 'leave', 'retried'), late: rule('RETRY', 'ack', 'retried') },
  /** Not in Celery: a task with an order key waits for its next try in its lane. */
  retriedInLane: { counts: 'retried', early: NOTHING, late: rule('RETRY', 'hold', 'retried') },
  ignored: { counts: 'ignored', early: NOTHING, late: rule(null, 'ack') },
  rejected: { counts: 'rejected', early: NOTHING, late: rule(null, 'reject', 'rejected') },
  requeued: { counts: 'rejected', early: NOTHING, late: rule(null, 'give back', 'rejected') },
  /** Revoked, expired or terminated; no message is acknowledged before the start. */
  revoked: { counts: 'revoked', early: rule('REVOKED', 'ack', 'revoked'), late: rule('REVOKED', 'ack', 'revoked') },
  /** With `worker_deduplicate_successful_tasks`. */
  duplicate: { counts: 'ignored', early: NOTHING, late: rule(null, 'ack') },
  /** Not in Celery, where the body of a chord may run twice. */
  copy: { counts: 'ignored', early: NOTHING, late: rule(null, 'ack') },
  /** The task was told to stop by a cold shutdown, and did. */
  aborted: { counts: 'aborted', early: rule(null, 'leave', 'cancelled'), late: rule(null, 'give back', 'cancelled') },
  /** The connection was lost: the broker delivers the message again. */
  lostConnection: { counts: 'aborted', early: NOTHING, late: NOTHING },
  /** The task stopped because its connection was lost. */
  abortedByLostConnection: { counts: 'aborted', early: NOTHING, late: rule(null, 'leave', 'cancelled') },
  /** Not in Celery: a result or message could not be stored or sent, but may be another time. */
  untold: { counts: 'rejected', early: NOTHING, late: rule(null, 'give back', 'rejected') },
  /** Not in Celery: an error that would occur again. Celery's worker ends with it. */
  broken: { counts: 'rejected', early: NOTHING, late: rule(null, 'reject', 'rejected') },
} as const satisfies Readonly<Record<string, { counts: Ending; early: Rule; late: Rule }>>

/** A row of `RULES`. */
export type Situation = keyof typeof RULES

/** Returns the row by which an outcome is settled, provided that its connection lives and its result can be stored. */
export function situationOf(outcome: Outcome, policy: Policy): Situation {
  switch (outcome.state) {
    case 'SUCCESS':
      return 'succeeded'
    case 'FAILURE':
      if (outcome.kind === 'lost' && policy.rejectOnWorkerLost) return 'lostUnacked'
      if (policy.acksOnFailureOrTimeout) return 'failed'
      return outcome.kind === 'timeout' ? 'timedOutUnacked' : 'failedUnacked'
    case 'RETRY':
      return 'retried'
    case 'IGNORED':
      return 'ignored'
    case 'REJECTED':
      return outcome.reject.requeue ? 'requeued' : 'rejected'
    case 'REVOKED':
      return 'revoked'
    case 'DUPLICATE':
      return 'duplicate'
    case 'COPY':
      return 'copy'
    case 'ABORTED':
      return 'aborted'
    default:
      return outcome satisfies never
  }
}
