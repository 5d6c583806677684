import { endsOf } from '../../canvas/chordBody.js'
import { ChordError } from '../../canvas/chordError.js'
import { failBody, mayGoBetter } from '../../canvas/chordPart.js'
import { unlockChord } from '../../canvas/chordUnlock.js'
import { parseSignature } from '../../canvas/parse.js'
import { listSignature, type Signature } from '../../canvas/signature.js'
import { SignatureError } from '../../canvas/signatureError.js'
import { coerceError } from '../../errors.js'
import type { Backend, Logger } from '../../ports.js'
import { encodeException } from '../../protocol/exception.js'
import { repr } from '../../protocol/repr.js'
import { resultMeta } from '../../protocol/result.js'
import { traceback } from '../../protocol/traceback.js'
import { limitsIn } from '../conf.js'
import type { TaskContext } from '../context.js'
import type { SignatureHome } from '../workflow/signature.js'

export interface ChordUnlockHome {
  readonly apply: SignatureHome['apply']
  backend(): Backend
  conf(): Readonly<Record<string, unknown>>
}

/** The arguments of `celery.chord_unlock`. */
export type UnlockCall = [
  groupId: string,
  callback: unknown,
  interval?: number | null,
  maxRetries?: number | null,
  header?: readonly unknown[],
]

const INTERVAL = 1
/** Seconds after which results have expired: there is nothing more to wait for. */
const EXPIRES = 86_400

/**
 * One run of `celery.chord_unlock`.
 * @throws Retry while the header has not ended; SignatureError for a value that is not a chord, and what is thrown when
 *   no retry is left: both once the failure is stored in the place of the body, unless it is the body that is invalid
 */
export async function unlock(
  home: ChordUnlockHome,
  self: TaskContext,
  [groupId, callback, interval, maxRetries, result = []]: UnlockCall,
): Promise<void> {
  const conf = home.conf()
  const body = parseSignature(callback, 'callback', limitsIn(conf))
  const lifetime = numberIn(conf.result_expires) || EXPIRES
  const asked = numberIn(interval) ?? numberIn(conf.result_chord_retry_interval) ?? INTERVAL
  // No message can be due after the year 9999, and later than this no result is left to look at.
  const countdown = Math.min(Math.max(asked, 0.01), lifetime)
  const most = Math.floor(numberIn(maxRetries) ?? Math.ceil(lifetime / countdown))
  const mayWait = self.request.retries < most
  const terms = { ...termsOf(home, body, self.log), mayWait }
  try {
    if (typeof groupId !== 'string') throw new SignatureError('group_id', 'must be a string')
    if (!(await unlockChord({ groupId, body, header: result }, terms))) return
  } catch (thrown) {
    const exc = coerceError(thrown)
    if (mayGoBetter(exc) && mayWait) throw self.retry({ exc, countdown, maxRetries: most })
    const backend = { get: (id: string) => terms.backend.get(id) }
    await failBody(body, new ChordError(`${self.request.task} raised ${repr(exc)}`, exc), { ...terms, backend })
    throw exc
  }
  throw self.retry({ countdown, maxRetries: most })
}

function termsOf({ apply, backend, conf }: ChordUnlockHome, body: Signature, log: Logger) {
  const store = backend()
  const replyTo = endsOf(body)[0]?.options.reply_to
  return {
    backend: store,
    limits: limitsIn(conf()),
    log,
    send: async (sig: Signature, results: readonly unknown[]) => {
      await apply(sig, { args: [results] })
    },
    callErrbacks: async (errbacks: readonly Signature[], id: string) => {
      await apply(listSignature('group', [...errbacks]), { args: [id], options: { parent_id: id, root_id: id } })
    },
    fail: (id: string, error: Error) =>
      store.store(
        resultMeta(
          { taskId: id, status: 'FAILURE', result: encodeException(error), traceback: traceback(error) },
          Date.now(),
        ),
        { replyTo: typeof replyTo === 'string' ? replyTo : null, correlationId: id },
      ),
  }
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}
