import { randomUUID } from 'node:crypto'
import { freeze } from '../../canvas/freeze.js'
import { link, linkError } from '../../canvas/links.js'
import { type CallParts, replaceOptions } from '../../canvas/merge.js'
import { pipe } from '../../canvas/pipe.js'
import { tupleOf } from '../../canvas/resultNode.js'
import { cloneSignature, type Signature as SignatureDict } from '../../canvas/signature.js'
import type { Kwargs } from '../../protocol/message.js'
import { repr } from '../../protocol/repr.js'
import type { ResultTuple } from '../../protocol/result.js'
import type { AsyncResult } from '../asyncResult.js'
import { checkCall, plainObject } from '../optionChecks.js'
import type { SendOptions } from '../outlet.js'
import type { AnyResult } from '../result.js'
import { checkSendOptions } from '../sendOptions.js'
import { celeryOptions } from './celeryOptions.js'
import { isVisitor, type StampingVisitor, type StampOptions, type Stamps, sameStamps, stampAll } from './stamps.js'

/** The app that signatures and workflows belong to. */
export interface SignatureHome {
  /** The reply queue of the app. */
  readonly oid: string
  /**
   * Sends a canvas, and returns its result handle.
   * @param joins the group of the chord whose header the canvas joins as one more member
   */
  apply(sig: SignatureDict, call: CallParts, joins?: string): Promise<AnyResult>
  /** Makes a chord wait for one more member, which is to be sent later. */
  joinChord(groupId: string): Promise<void>
  /** The result handle of a canvas that has its ids. */
  resultOf(tuple: ResultTuple): AnyResult
}

/** Any signature, whatever its arguments and its result. */
export type AnySignature = Signature<never, unknown, unknown>
/** A signature that is called with a result. */
export type Callback<Result> = Signature<readonly [Result], unknown, unknown>

declare const TAKES: unique symbol
declare const GIVES: unique symbol

/**
 * A call that isn't made yet: of a task, or of a whole workflow. `Lead` are the arguments that it may still be given,
 * before its own; `Result` is its result; `Handle` is the result handle once it is sent. Mirrors Celery's `Signature`,
 * whose JSON form it has.
 */
export class Signature<
  in Lead extends readonly unknown[] = readonly unknown[],
  out Result = unknown,
  out Handle = AsyncResult<Result>,
> {
  /** For type checks only: these properties do not exist. */
  declare readonly [TAKES]?: (lead: Lead) => void
  /** @internal */
  declare readonly [GIVES]?: Result

  constructor(
    protected readonly dict: SignatureDict,
    /** The app that sends the signature. @internal */
    readonly home: SignatureHome,
  ) {}

  /** The name of the task; `celery.chain`, `celery.group`, `celery.chord` for a workflow. */
  get task(): string {
    return this.dict.task
  }

  /** The kind of workflow; null for a call of one task. */
  get subtaskType(): 'chain' | 'group' | 'chord' | null {
    return this.dict.subtask_type
  }

  /**
   * Sends the signature. Mirrors Celery's `delay`.
   * @param lead arguments before its own; an immutable signature ignores them
   * @throws what `sendTask` throws; SignatureError for a workflow that can't be sent; NotImplementedError for a chord
   *   if the result backend does not support chords
   */
  delay(...lead: Lead): Promise<Handle> {
    return this.send(lead, {}, {})
  }

  /**
   * Sends the signature with options, which take precedence over its own. For a chain they apply to the first step,
   * except `taskId`, `link` and `linkError`. Mirrors Celery's `apply_async`.
   * @throws as `delay`
   */
  applyAsync(lead: Lead, kwargs: Kwargs = {}, options: SendOptions = {}): Promise<Handle> {
    return this.send(lead, kwargs, options)
  }

  /**
   * Sets options of the signature, and returns it. Mirrors Celery's `set`.
   * @throws TypeError that names everything that is wrong
   */
  set(options: SendOptions): this {
    checkSendOptions(this.task, options)
    const { link: links, linkError: errbacks, ...others } = options
    this.dict.options = replaceOptions(this.dict.options, celeryOptions(others))
    const dictsOf = (sigs: typeof links) => listOf(sigs).map((sig) => sig.toJSON())
    link(this.dict, dictsOf(links))
    linkError(this.dict, dictsOf(errbacks), { errorsOnHeader: false })
    return this
  }

  /**
   * Adds a callback, which is sent with the result once there is one. For a chain it follows the last step, for a chord
   * the body. Returns the signature itself, while Celery's `link` returns the callback.
   */
  link(callback: Callback<Result>): this {
    link(this.dict, [dictOf(callback, 'link')])
    return this
  }

  /**
   * Adds a callback for the failure of any task in the signature. Returns the signature itself, while Celery's
   * `link_error` returns the callback.
   */
  linkError(errback: AnySignature): this {
    linkError(this.dict, [dictOf(errback, 'linkError')], { errorsOnHeader: false })
    return this
  }

  /**
   * Adds stamps: values by name, which all messages of the signature carry and `revokeByStampedHeaders` matches; or a
   * visitor that returns the stamps of each part. A stamp that exists already is replaced, or with `append` becomes a
   * list of both. Mirrors Celery's `stamp`.
   * @throws TypeError for a stamp that has the name of an option
   */
  stamp(visitor: StampingVisitor, options?: StampOptions): this
  stamp(stamps: Stamps, options?: StampOptions): this
  stamp(given: StampingVisitor | Stamps, { append = false }: StampOptions = {}): this {
    if (plainObject(given) !== null)
      throw new TypeError(`stamp(${repr(given, 80)}): expected stamps by name, or a visitor`)
    stampAll(this.dict, isVisitor(given) ? given : sameStamps(given), append)
    return this
  }

  /** Returns an independent copy. Mirrors Celery's `clone`. */
  clone(): this {
    return new Signature(this.canvas(), this.home) as this
  }

  /**
   * Combines two signatures, one after the other, as Python's `|`: the result of this one is the first argument of the
   * next. A group before a step becomes the header of a chord.
   */
  pipe<Given, Then>(next: Signature<readonly [Result], Given, Then>): Signature<Lead, Given, Then> {
    return new Signature(pipe(this.dict, dictOf(next, 'pipe'), { keepsGroups: true }), homeOf([this, next]))
  }

  /**
   * Assigns ids to the signature and all its parts, and returns the result handle: for code that needs the ids before
   * sending. After that it must be sent only once. Mirrors Celery's `freeze`.
   * @throws TypeError for a signature without an app
   */
  freeze(): Handle {
    const node = freeze(this.dict, {}, { newId: randomUUID, replyTo: this.home.oid, keepsGroups: true })
    return this.home.resultOf(tupleOf(node)) as Handle
  }

  /** Celery's form, in which tasks also receive and return signatures. */
  toJSON(): SignatureDict {
    return this.canvas()
  }

  /** A copy of the dict, for sending and for building workflows. @internal */
  canvas(): SignatureDict {
    return cloneSignature(this.dict)
  }

  private async send(lead: readonly unknown[], kwargs: Kwargs, options: SendOptions): Promise<Handle> {
    checkCall(this.task, lead ?? [], kwargs)
    checkSendOptions(this.task, options)
    const call: CallParts = { args: lead, kwargs, options: celeryOptions(options) }
    return (await this.home.apply(this.canvas(), call)) as Handle
  }
}

/** The home of signatures that belong to no app. */
export const NO_HOME: SignatureHome = {
  oid: '',
  apply: async () => homeless(),
  joinChord: async () => homeless(),
  resultOf: () => homeless(),
}

function homeless(): never {
  throw new TypeError('this task or workflow belongs to no app that could send it')
}

/** The app of a workflow: that of the first part that has one; an empty group has none. */
export function homeOf(parts: readonly unknown[], otherwise: SignatureHome = NO_HOME): SignatureHome {
  const first = parts.flat().find((part) => part instanceof Signature && part.home !== NO_HOME)
  return first instanceof Signature ? first.home : otherwise
}

/** @throws TypeError for a value that is not a signature */
export function dictOf(sig: unknown, place: string): SignatureDict {
  if (sig instanceof Signature) return sig.canvas()
  const remedy = typeof (sig as { s?: unknown } | null)?.s === 'function' ? `; write ${nameOf(sig)}.s(...)` : ''
  throw new TypeError(`${place}: expected a signature, such as task.s(1), and got ${repr(sig, 80)}${remedy}`)
}

function nameOf(task: unknown): string {
  const { name } = task as { name?: unknown }
  return typeof name === 'string' ? (name.split('.').at(-1) ?? 'task') : 'task'
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as Item]
}
