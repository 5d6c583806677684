import type { TaskContext } from '../context.js'
import { Task } from '../task.js'
import type { ChordUnlockHome, UnlockCall } from './unlock.js'

/**
 * Celery's task that waits for the header of a chord where the backend can't count, and then sends the body. A Python
 * worker retries forever; this one, unless the message says how often, retries until results have expired, and then
 * stores the failure of the chord.
 */
export function chordUnlock(home: ChordUnlockHome): Task {
  const params = ['group_id', 'callback', 'interval?', 'max_retries?', 'result?', '**others']
  const options = { bind: true, ignoreResult: true, maxRetries: null, params }
  // Few apps ever run this task, and all have it: its code is loaded by the first run.
  return new Task('celery.chord_unlock', options, async (self: TaskContext, ...call: UnlockCall) =>
    (await import('./unlock.js')).unlock(home, self, call),
  )
}
