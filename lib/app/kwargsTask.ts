import type { AsyncResult } from './asyncResult.js'
import type { SendOptions } from './outlet.js'
import type { Task } from './task.js'
import type { Signature } from './workflow/signature.js'

/** A task whose handler takes one object with all arguments by name (`kwargs: true`): it is sent with keyword arguments. */
export interface KwargsTask<Given extends object = Record<string, unknown>, Result = unknown>
  extends Omit<
    Task<readonly unknown[], Result>,
    'delay' | 'applyAsync' | 's' | 'si' | 'signature' | 'map' | 'starmap' | 'chunks'
  > {
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
  /**
   * A call that isn't made yet, with these keyword arguments. It can't take the result of a preceding step of a
   * workflow: see `si`. Mirrors Celery's `s`.
   */
  s(given: Given): Signature<readonly [], Result>
  /**
   * A call that isn't made yet, with these keyword arguments, which ignores the result of a preceding step of a
   * workflow. Mirrors Celery's `si`.
   */
  si(given: Given): Signature<readonly unknown[], Result>
}
