import { endsOf } from '../../canvas/chordBody.js'
import { mayGoBetter } from '../../canvas/chordPart.js'
import { unlockChord } from '../../canvas/chordUnlock.js'
import { parseSignature } from '../../canvas/parse.js'
import { listSignature, type Signature } from '../../canvas/signature.js'
import { SignatureError } from '../../canvas/signatureError.js'
import type { Backend, Logger } from '../../ports.js'
import { encodeException } from '../../protocol/exception.js'
import { resultMeta } from '../../protocol/result.js'
import { traceback } from '../../protocol/traceback.js'
import { limitsIn } from '../conf.js'
import type { TaskContext } from '../context.js'
import type { SignatureHome } from '../workflow/signature.js'

export interface ChordUnlockHome {
  readonly apply: SignatureHome['apply']
  backend(): Backend
  readonly conf: Readonly<Record<string, unknown>>
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
 * @throws Retry while the header has not ended; SignatureError for a value that is not a chord
 */
export async function unlock(
  home: ChordUnlockHome,
  self: TaskContext,
  [groupId, callback, interval, maxRetries, result = []]: UnlockCall,
): Promise<void> {
  const { conf } = home
  if (typeof groupId !== 'string') throw new SignatureError('group_id', 'must be a string')
  const body = parseSignature(callback, 'callback', limitsIn(conf))
  const countdown = Math.max(numberIn(interval) ?? numberIn(conf.result_chord_retry_interval) ?? INTERVAL, 0.01)
  const most = numberIn(maxRetries) ?? Math.ceil((numberIn(conf.result_expires) || EXPIRES) / countdown)
  const mayWait = self.request.retries < most
  try {
    const terms = { ...termsOf(home, body, self.log), mayWait }
    if (!(await unlockChord({ groupId, body, header: result }, terms))) return
  } catch (thrown) {
    if (!mayGoBetter(thrown) || !mayWait) throw thrown
    throw self.retry({ exc: thrown as Error, countdown, maxRetries: most })
  }
  throw self.retry({ countdown, maxRetries: most })
}

function termsOf({ apply, backend, conf }: ChordUnlockHome, body: Signature, log: Logger) {
  const store = backend()
  const replyTo = endsOf(body)[0]?.options.reply_to
  return {
    backend: store,
    limits: limitsIn(conf),
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
