import type { AsyncResult } from './asyncResult.js'
import type { SendOptions } from './outlet.js'
import type { Task } from './task.js'

/** A task whose handler takes one object with all arguments by name (`kwargs: true`): it is sent with keyword arguments. */
export interface KwargsTask<Given extends object = Record<string, unknown>, Result = unknown>
  extends Omit<Task<readonly unknown[], Result>, 'delay' | 'applyAsync'> {
  /**
   * Sends a message for this task, with these keyword arguments. Mirrors Celery's `delay(**kwargs)`.
   * @throws what `sendTask` throws
   */
  delay(...given: Record<never, never> extends Given ? [given?: Given] : [given: Given]): Promise<AsyncResult<Result>>
  /**
   * Sends a message for this task, with these keyword arguments and options. Mirrors Celery's `apply_async`.
   * @param args an empty list
   * @throws what `sendTask` throws
   */
  applyAsync(args: readonly [], kwargs: Given, options?: SendOptions): Promise<AsyncResult<Result>>
}
