import { BrokerError, coerceError } from '../errors.js'
import { aborted, deferred } from '../listeners.js'
import { Connection, type ConnectionOptions } from './connection.js'
import type { Epoch } from './epoch.js'

/** A client's connection: its opener says how often to try, and needs no callbacks. */
export type SessionOptions = Omit<ConnectionOptions, 'onUp' | 'onDown' | 'gaveUp'>

/**
 * Runs `use` on a connection of its own, and closes it.
 * @throws BrokerError if the broker can't be reached within `maxRetries`, or the connection is lost meanwhile; what
 *   `use` throws
 */
export async function withEpoch<T>(options: SessionOptions, use: (epoch: Epoch) => Promise<T>): Promise<T> {
  const opening = deferred<Epoch>()
  const connection = new Connection({
    ...options,
    onUp: async (epoch) => opening.resolve(epoch),
    onDown: async () => undefined,
    gaveUp: (error) =>
      opening.reject(new BrokerError(`the broker can't be reached: ${error.message}`, { cause: error })),
  })
  await connection.start()
  try {
    const epoch = await opening.promise
    const lost = aborted(epoch.ended).then(() => {
      const { message } = coerceError(epoch.ended.reason)
      throw new BrokerError(`the connection to the broker was lost: ${message}`, { cause: epoch.ended.reason })
    })
    return await Promise.race([use(epoch), lost])
  } finally {
    await connection.stop()
  }
}
