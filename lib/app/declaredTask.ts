import type { Kwargs } from '../protocol/message.js'
import type { AsyncResult } from './asyncResult.js'
import type { SendOptions } from './outlet.js'

/** Sends a task by its name; what `delay` and `applyAsync` stand for. */
export type SendTask = (args: readonly unknown[], kwargs: Kwargs, options: SendOptions) => Promise<AsyncResult>

/** What a task's caller gets for what its handler returns: nothing arrives as null. */
export type ResultOf<Returned> = Nullish<Awaited<Returned>>
type Nullish<Value> = [Value] extends [never] ? never : Value extends void ? null : Value

/** The first arguments, as many as are given by position where the others are given by name. */
export type Leading<Args extends readonly unknown[]> = Args extends readonly [infer First, ...infer Rest]
  ? readonly [] | readonly [First, ...Leading<Rest>]
  : Partial<Args>

/** Keyword arguments, one at least. */
type Named<Given extends Kwargs> = keyof Given extends never ? never : Given

const NO_KWARGS: Kwargs = {}

/** A task by its name and the types of its arguments and result, wherever it runs: `app.declare`. */
export class DeclaredTask<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  constructor(
    /** The name that messages call it by. */
    readonly name: string,
    protected readonly send: SendTask,
  ) {}

  /**
   * Sends a message for this task. Mirrors Celery's `delay`.
   * @throws what `sendTask` throws
   */
  delay(...args: Args): Promise<AsyncResult<Result>> {
    return this.send(args, NO_KWARGS, {}) as Promise<AsyncResult<Result>>
  }

  /**
   * Sends a message for this task, with options. Arguments that are given by name needn't be given by position. Mirrors Celery's
   * `apply_async`.
   * @throws what `sendTask` throws
   */
  applyAsync(args: Args, kwargs?: Record<string, never>, options?: SendOptions): Promise<AsyncResult<Result>>
  applyAsync<Given extends Kwargs>(
    args: Leading<Args>,
    kwargs: Named<Given> & Given,
    options?: SendOptions,
  ): Promise<AsyncResult<Result>>
  applyAsync(
    args: readonly unknown[] = [],
    kwargs = NO_KWARGS,
    options: SendOptions = {},
  ): Promise<AsyncResult<Result>> {
    return this.send(args, kwargs, options) as Promise<AsyncResult<Result>>
  }
}
