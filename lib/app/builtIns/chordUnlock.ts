import type { TaskContext } from '../context.js'
import { Task } from '../task.js'
import type { ChordUnlockHome, UnlockCall } from './unlock.js'

/**
 * Celery's task that waits for the header of a chord over a backend that can't count, and then sends the body. A worker in Python tries for ever;
 * this one, unless the message says how often, until results have expired, and then stores that the chord has failed.
 */
export function chordUnlock(home: ChordUnlockHome): Task {
  const params = ['group_id', 'callback', 'interval?', 'max_retries?', 'result?']
  const options = { bind: true, ignoreResult: true, maxRetries: null, params }
  // Hardly any app ever runs it, and all have it: loaded by its first run.
  return new Task('celery.chord_unlock', options, async (self: TaskContext, ...call: UnlockCall) =>
    (await import('./unlock.js')).unlock(home, self, call),
  )
}
