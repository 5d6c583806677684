import { taskSignature } from '../canvas/signature.js'
import type { Kwargs } from '../protocol/message.js'
import type { AsyncResult } from './asyncResult.js'
import { checkCall } from './optionChecks.js'
import type { SendOptions } from './outlet.js'
import { Chunks, overMany } from './workflow/chunks.js'
import type { LeadOf, TailOf } from './workflow/leads.js'
import { NO_HOME, Signature, type SignatureHome } from './workflow/signature.js'

/** Sends a task by its name; `delay` and `applyAsync` use it. */
export type SendTask = (args: readonly unknown[], kwargs: Kwargs, options: SendOptions) => Promise<AsyncResult>

/** What the caller of a task gets for the handler's return value: undefined arrives as null. */
export type ResultOf<Returned> = Nullish<Awaited<Returned>>
type Nullish<Value> = [Value] extends [never] ? never : Value extends void ? null : Value

/** The first arguments, those passed by position when the others are passed by name. */
export type Leading<Args extends readonly unknown[]> = Args extends readonly [infer First, ...infer Rest]
  ? readonly [] | readonly [First, ...Leading<Rest>]
  : Partial<Args>

/** Keyword arguments, at least one. */
type Named<Given extends Kwargs> = keyof Given extends never ? never : Given

const NO_KWARGS: Kwargs = {}

/** A task by its name and the types of its arguments and result, wherever it runs: `app.declare`. */
export class DeclaredTask<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  constructor(
    /** The name that messages call it by. */
    readonly name: string,
    protected readonly send: SendTask,
    /** The app that it belongs to. @internal */
    readonly home: SignatureHome = NO_HOME,
  ) {}

  /**
   * Sends a message for this task. Mirrors Celery's `delay`.
   * @throws what `sendTask` throws
   */
  delay(...args: Args): Promise<AsyncResult<Result>> {
    return this.send(args, NO_KWARGS, {}) as Promise<AsyncResult<Result>>
  }

  /**
   * Sends a message for this task, with options. Arguments passed by name needn't be passed by position too. Mirrors
   * Celery's `apply_async`.
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

  /**
   * A call of this task that isn't made yet, with its last arguments: the first ones come from the preceding step of a
   * workflow. Mirrors Celery's `s`.
   */
  s<const Given extends TailOf<Args>>(...given: Given): Signature<LeadOf<Args, Given>, Result> {
    return new Signature(taskSignature(this.name, [...given]), this.home)
  }

  /**
   * A call of this task that isn't made yet, with all its arguments: it takes none from the preceding step. Mirrors
   * Celery's `si`.
   */
  si(...args: Args): Signature<readonly unknown[], Result> {
    return new Signature(taskSignature(this.name, [...args], {}, {}, true), this.home)
  }

  /**
   * A call of this task that isn't made yet, with keyword arguments and options too. The result of the preceding step
   * of a workflow isn't type-checked against the task's arguments. Mirrors Celery's `signature`.
   * @throws TypeError for a wrong argument or option
   */
  signature(args: TailOf<Args>, kwargs: Kwargs = {}, options: SendOptions = {}): Signature<readonly unknown[], Result> {
    checkCall(this.name, args, kwargs)
    const dict = taskSignature(this.name, [...args], { ...kwargs })
    return new Signature<readonly unknown[], Result>(dict, this.home).set(options)
  }

  /**
   * One message that calls this task with each item, one after another; returns the list of results. Mirrors Celery's
   * `map`.
   */
  map(items: ReadonlyArray<Args[0]>): Signature<readonly unknown[], Result[]> {
    return new Signature(overMany('celery.map', this.name, items), this.home)
  }

  /**
   * One message that calls this task with each list of arguments, one after another; returns the list of results.
   * Mirrors Celery's `starmap`.
   */
  starmap(items: readonly Args[]): Signature<readonly unknown[], Result[]> {
    return new Signature(overMany('celery.starmap', this.name, items), this.home)
  }

  /**
   * Messages that each call this task with `size` of the lists of arguments, one after another: sent as a group.
   * Mirrors Celery's `chunks`.
   * @throws TypeError for a size that is not a whole number from 1 on
   */
  chunks(items: readonly Args[], size: number): Chunks<Result> {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new TypeError(`${this.name}.chunks: the size is ${size}: expected a whole number of at least 1`)
    }
    return new Chunks<Result>({ task: this.name, items: [...items], size }, this.home)
  }
}
