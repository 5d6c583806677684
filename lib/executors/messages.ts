import type { GuardedCall } from '../app/breakers.js'
import type { RequestInfo } from '../app/context.js'
import { Reject, Retry, type RetryOptions } from '../app/predicate.js'
import type { BreakerState } from '../breaker.js'
import { coerceError, textOf } from '../errors.js'
import type { LogLevel } from '../ports.js'
import { encodeException } from '../protocol/exception.js'
import { repr } from '../protocol/repr.js'
import type { ResultTuple } from '../protocol/result.js'
import { withCauses } from '../protocol/stack.js'
import type { FailureKind, Outcome } from '../trace/outcome.js'
import type { Carrier } from '../tracing.js'
import { pack, unpack } from './parcel.js'

/*
 * What the worker and a child say to each other:
 *
 *   worker -> child   load, then for each task: run, (soft-limit), (abort), (stored); at last: end
 *   child -> worker   loaded or unfit, then for each task: (begun), (log), (store), (ended), done
 *
 * `job` counts the tasks of a pool. Values are packed. A task may leave code behind that logs or stores once the child
 * has another job: so each such message says whose it is; a line of no task has null.
 */
export type ToChild =
  | { readonly type: 'load'; readonly source: AppSource }
  | { readonly type: 'run'; readonly job: Job }
  | { readonly type: 'soft-limit'; readonly job: number; readonly seconds: number }
  | { readonly type: 'abort'; readonly job: number; readonly error: PlainError; readonly isOver: boolean }
  | { readonly type: 'stored'; readonly job: number; readonly call: number; readonly error: PlainError | null }
  | { readonly type: 'end' }

export type FromChild =
  | { readonly type: 'loaded' }
  | { readonly type: 'unfit'; readonly faults: readonly string[] }
  | LogLine
  | StateToStore
  /**
   * Sent if the job asks for it: hooks were called for the beginning of the task; the handler has ended, and hooks are
   * called for that.
   */
  | { readonly type: 'begun' }
  | { readonly type: 'ended' }
  | { readonly type: 'done'; readonly end: JobEnd }

/** A line of a child's log. */
export interface LogLine {
  readonly type: 'log'
  readonly job: number | null
  readonly level: LoggedLevel
  readonly message: string
  readonly facts: unknown
}

/** A state that a task reports. */
export interface StateToStore {
  readonly type: 'store'
  readonly job: number
  readonly call: number
  readonly state: string
  readonly meta: unknown
}

export type LoggedLevel = Exclude<LogLevel, 'FATAL'>

/** Location of the app, for a child. */
export interface AppSource {
  /** The value of `-A`. */
  readonly specifier: string
  /** Directory that it is searched from. */
  readonly cwd: string
  /** Further modules with tasks. */
  readonly include: readonly string[]
  /** Settings for hooks and resources; by default the usual ones. */
  readonly terms?: ChildTerms
}

/** Settings for hooks and resources in a child. */
export interface ChildTerms {
  /** Node name. */
  readonly hostname: string
  /** Milliseconds to wait for a hook. */
  readonly hookTimeoutMs: number
  /** Milliseconds that a resource may take to open, or to close. */
  readonly resourceTimeoutMs: number
}

/** One task to run. */
export interface Job {
  readonly number: number
  /** A packed RequestInfo. */
  readonly info: unknown
  /** Headers of the trace that the run belongs to. */
  readonly carrier: Carrier
  /** Present state of the worker's breakers. */
  readonly breakers: Readonly<Record<string, BreakerState>>
  /** Levels of the task's log that are written. */
  readonly levels: readonly LoggedLevel[]
  /** True if the worker must know when the handler begins and ends: time limits don't apply to hooks. */
  readonly hooked: boolean
}

/** How a job ended, and how much memory its child uses afterwards. */
export interface JobEnd {
  /** Calls since the end of the child's last job; only the last ones if there are very many. */
  readonly calls: readonly GuardedCall[]
  readonly outcome: PlainOutcome
  readonly children: readonly ResultTuple[]
  readonly memoryKib: number
}

/** An error as data, without its causes. */
interface PlainCause {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly excType: string
  readonly excModule: string | null
  readonly args: unknown
}

/** An error as data, with its causes, outermost first. */
export type PlainError = PlainCause & { readonly causes: readonly PlainCause[] }

/** An outcome as data. */
export type PlainOutcome =
  | { readonly state: 'SUCCESS'; readonly result: unknown; readonly runtimeMs: number }
  | { readonly state: 'FAILURE'; readonly kind: FailureKind; readonly error: PlainError; readonly runtimeMs: number }
  | { readonly state: 'RETRY'; readonly options: unknown; readonly exc: PlainError | null; readonly runtimeMs: number }
  | { readonly state: 'IGNORED'; readonly runtimeMs: number }
  | {
      readonly state: 'REJECTED'
      readonly reason: string | null
      readonly requeue: boolean
      readonly runtimeMs: number
    }
  | { readonly state: 'ABORTED'; readonly error: PlainError; readonly runtimeMs: number }

export const packInfo = (info: RequestInfo): unknown => pack(info)
export const unpackInfo = (info: unknown): RequestInfo => unpack(info) as RequestInfo

/** As many as a traceback shows. */
const MOST_CAUSES = 100

export function packError(given: Error): PlainError {
  const [error = given, ...causes] = withCauses(given, MOST_CAUSES)
  return { ...packOne(error), causes: causes.map(packOne) }
}

function packOne(error: Error): PlainCause {
  const { exc_type: excType, exc_module: excModule, exc_message } = encodeException(error)
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    excType,
    excModule,
    args: packArgs(exc_message),
  }
}

/**
 * Restores an error. Its class stays in the child; its name, text and stack, and what Python receives of it, are the
 * same.
 */
export function unpackError({ causes, ...error }: PlainError): Error {
  const cause = causes.reduceRight<Error | undefined>((inner, each) => unpackOne(each, inner), undefined)
  return unpackOne(error, cause)
}

function unpackOne({ message, args, ...rest }: PlainCause, cause: Error | undefined): Error {
  return Object.assign(new Error(message, cause && { cause }), rest, { args: unpack(args) })
}

/** Converts an outcome to data. A result that can't be sent makes it a failure. */
export function packOutcome(outcome: Outcome): PlainOutcome {
  switch (outcome.state) {
    case 'SUCCESS':
      try {
        return { ...outcome, result: pack(outcome.result) }
      } catch (thrown) {
        const error = packError(coerceError(thrown))
        return { state: 'FAILURE', kind: 'unexpected', error, runtimeMs: outcome.runtimeMs }
      }
    case 'FAILURE':
    case 'ABORTED':
      return { ...outcome, error: packError(outcome.error) }
    case 'RETRY':
      return packRetry(outcome)
    case 'IGNORED':
      return outcome
    case 'REJECTED': {
      const { reject, runtimeMs } = outcome
      return {
        state: 'REJECTED',
        reason: reject.reason === null ? null : textOf(reject.message),
        requeue: reject.requeue,
        runtimeMs,
      }
    }
    case 'REVOKED':
    case 'DUPLICATE':
    case 'COPY':
      throw new TypeError(`a run doesn't end with ${outcome.state}`)
    default:
      return outcome satisfies never
  }
}

export function unpackOutcome(outcome: PlainOutcome): Outcome {
  switch (outcome.state) {
    case 'SUCCESS':
      return { ...outcome, result: unpack(outcome.result) }
    case 'FAILURE':
    case 'ABORTED':
      return { ...outcome, error: unpackError(outcome.error) }
    case 'RETRY': {
      const options = unpack(outcome.options) as RetryOptions
      const retry = new Retry(outcome.exc === null ? options : { ...options, exc: unpackError(outcome.exc) })
      return { state: 'RETRY', retry, runtimeMs: outcome.runtimeMs }
    }
    case 'IGNORED':
      return outcome
    case 'REJECTED':
      return { state: 'REJECTED', reject: new Reject(outcome.reason, outcome.requeue), runtimeMs: outcome.runtimeMs }
    default:
      return outcome satisfies never
  }
}

function packRetry({ retry, runtimeMs }: Outcome & { state: 'RETRY' }): PlainOutcome {
  try {
    const { exc, ...options } = retry.options
    return { state: 'RETRY', options: pack(options), exc: exc ? packError(exc) : null, runtimeMs }
  } catch (thrown) {
    return { state: 'FAILURE', kind: 'unexpected', error: packError(coerceError(thrown)), runtimeMs }
  }
}

function packArgs(args: readonly unknown[]): unknown {
  return args.map((arg) => {
    try {
      return pack(arg)
    } catch {
      // As everywhere, a value that can't be sent is replaced with its text.
      return repr(arg)
    }
  })
}
