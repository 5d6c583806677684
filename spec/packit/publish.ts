import { setTimeout } from 'node:timers/promises'
import type { Celery } from 'celeriac'
import type { PackitMessage } from './message.js'

/**
 * Publishes messages at their pace. The pace doesn't wait for the broker's confirms, but the end of it does.
 * @param app whose `sendTask` is used
 * @param queue gets all messages, whatever queue they name
 * @throws what `sendTask` throws; AbortError
 */
export async function publish(
  app: Celery,
  queue: string,
  messages: readonly PackitMessage[],
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now()
  const confirmed: Array<Promise<unknown>> = []
  for (const { task, args, kwargs, atMs } of messages) {
    const early = startedAt + atMs - performance.now()
    if (early > 1) await setTimeout(early, undefined, { signal })
    signal.throwIfAborted()
    const sent = app.sendTask(task, args, kwargs, { queue })
    confirmed.push(sent)
    // The first goes alone: it opens the connection, and the others must not pass it by meanwhile.
    if (confirmed.length === 1) await sent
    // The sum below reports a failure; until then it must not count as unhandled.
    sent.catch(() => undefined)
  }
  await Promise.all(confirmed)
}
