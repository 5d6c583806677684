import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import type { StopLimit } from '../stopLimit.js'

/**
 * Resolves once the acknowledgement of a request is written: nothing behind it may be acknowledged first, since a crash
 * in between would bring back this message alone. In a stop this is given up after a while: nothing else is started
 * then, and the broker delivers the message again.
 */
export async function written({ delivery, label }: Request, limit: StopLimit | undefined, log: Logger): Promise<void> {
  const { writing } = delivery
  if (!writing) return
  try {
    await (limit?.within(writing, () => 'the broker does not answer') ?? writing)
  } catch (thrown) {
    log.warning(`The message of ${label} could not be acknowledged: ${coerceError(thrown).message}`)
  }
}
