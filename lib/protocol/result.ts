import type { ExceptionDict } from './exception.js'
import { DecodeError, readResult, writeResult } from './resultText.js'
import { parseTime } from './time.js'

/** States after which nothing more happens to a task; only these have a date. */
export const READY_STATES: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVOKED'])
/** States whose result is an exception. */
export const EXCEPTION_STATES: ReadonlySet<string> = new Set(['RETRY', 'FAILURE', 'REVOKED'])
/** States that `get()` passes on as an error. */
export const PROPAGATE_STATES: ReadonlySet<string> = new Set(['FAILURE', 'REVOKED'])

/** Celery's tuple form of a result: `[[id, parent], null]` of a task, `[[id, parent], [children]]` of a group. */
export type ResultTuple = readonly [
  self: readonly [id: string, parent: ResultTuple | null],
  children: readonly ResultTuple[] | null,
]

/** Fields that `result_extended` adds. */
export interface ExtendedResult {
  /** Name of the task. */
  readonly name: string
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments. */
  readonly kwargs: Readonly<Record<string, unknown>>
  /** Node name; null for a task that never ran. */
  readonly worker: string | null
  /** Number of retries. */
  readonly retries: number
  /** Routing key of the message, which Celery calls the queue here. */
  readonly queue: string | null
  /** Names of Celery's stamps. */
  readonly stampedHeaders?: readonly string[]
  /** Celery's stamps by name. */
  readonly stamps?: Readonly<Record<string, unknown>>
}

/** State of a task as backends keep it. */
export interface ResultMeta {
  /** Id of the task. */
  readonly taskId: string
  /** One of Celery's states, or a custom state of the task. */
  readonly status: string
  /** Result; an `ExceptionDict` in the exception states (null is possible only for RETRY). */
  readonly result: unknown
  /** Traceback of a failure, as Python writes it; null for none. */
  readonly traceback: string | null
  /** Results of the tasks that it sent. */
  readonly children: readonly ResultTuple[]
  /** Wall-clock milliseconds; null until the task is ready. */
  readonly dateDone: number | null
  /** Group that it belongs to; null for none. */
  readonly groupId: string | null
  /** Task that sent it; null for none. */
  readonly parentId: string | null
  /** Extended fields with `result_extended`; otherwise null. */
  readonly extended: ExtendedResult | null
}

/**
 * Makes the new state of a task, with a date if it is final.
 * @param now wall-clock milliseconds
 */
export function resultMeta(
  fields: Pick<ResultMeta, 'taskId' | 'status' | 'result'> & Partial<Omit<ResultMeta, 'dateDone'>>,
  now: number,
): ResultMeta {
  return {
    traceback: null,
    children: [],
    groupId: null,
    parentId: null,
    extended: null,
    ...fields,
    dateDone: READY_STATES.has(fields.status) ? now : null,
  }
}

/** Makes the exception of a revoked task, as `get()` raises it. */
export function encodeRevoked(reason: string): ExceptionDict {
  return { exc_type: 'TaskRevokedError', exc_message: [reason], exc_module: 'celery.exceptions' }
}

/** Returns the form of a published task in its parent's `children`. */
export function taskTuple(id: string, parent: ResultTuple | null = null): ResultTuple {
  return [[id, parent], null]
}

/*
 * Stored:  {status, result, traceback, children, date_done, group_id?, parent_id?, name, args, kwargs, worker, retries, queue,
 *           stamped_headers?, <stamp>..., task_id}
 * rpc:     {task_id, status, result, traceback, children}
 * The fields from `name` on only with result_extended. The order is Celery's: chords compare such texts byte by byte.
 */

/**
 * Encodes a state as the text that a store keeps and publishes. Mirrors Celery 5.6's `Backend._get_result_meta`.
 * @throws EncodeError for a value that can't be written
 */
export function encodeResult(meta: ResultMeta): string {
  return writeResult({
    status: meta.status,
    result: meta.result ?? null,
    traceback: meta.traceback,
    children: meta.children,
    date_done: meta.dateDone === null ? null : isoTime(meta.dateDone),
    ...(meta.groupId === null ? {} : { group_id: meta.groupId }),
    ...(meta.parentId === null ? {} : { parent_id: meta.parentId }),
    ...(meta.extended === null ? {} : extendedFields(meta.extended)),
    task_id: meta.taskId,
  })
}

/**
 * Encodes a state as the shorter text of a reply. Mirrors `RPCBackend._to_result`.
 * @throws EncodeError for a value that can't be written
 */
export function encodeReply({ taskId, status, result, traceback, children }: ResultMeta): string {
  return writeResult({ task_id: taskId, status, result: result ?? null, traceback, children })
}

/**
 * Decodes what `encodeResult`, `encodeReply` or any Celery wrote.
 * @throws DecodeError if the text is not a result
 */
export function decodeResult(text: string): ResultMeta {
  const fields = recordOf(readResult(text))
  const { task_id, status, traceback, children, date_done, group_id, parent_id, name } = fields
  if (typeof status !== 'string') throw new DecodeError('a result has no status')
  return {
    taskId: textOrNull(task_id) ?? '',
    status,
    result: fields.result ?? null,
    traceback: textOrNull(traceback),
    children: Array.isArray(children) ? (children as ResultTuple[]) : [],
    dateDone: typeof date_done === 'string' ? parseTime(date_done) : null,
    groupId: textOrNull(group_id),
    parentId: textOrNull(parent_id),
    extended: typeof name === 'string' ? extendedOf(fields, name) : null,
  }
}

function extendedFields({
  name,
  args,
  kwargs,
  worker,
  retries,
  queue,
  stampedHeaders,
  stamps,
}: ExtendedResult): object {
  const fields = { name, args, kwargs, worker, retries, queue }
  const stamped = stamps !== undefined && Object.keys(stamps).length > 0
  return stamped ? { ...fields, stamped_headers: stampedHeaders ?? Object.keys(stamps), ...stamps } : fields
}

function extendedOf(fields: Record<string, unknown>, name: string): ExtendedResult {
  const { args, kwargs, worker, retries, queue, stamped_headers } = fields
  const stampedHeaders = Array.isArray(stamped_headers) ? stamped_headers.map(String) : null
  return {
    name,
    args: Array.isArray(args) ? args : [],
    kwargs: typeof kwargs === 'object' && kwargs !== null ? (kwargs as Record<string, unknown>) : {},
    worker: textOrNull(worker),
    retries: Number(retries ?? 0),
    queue: textOrNull(queue),
    ...(stampedHeaders === null
      ? {}
      : {
          stampedHeaders,
          stamps: Object.fromEntries(
            stampedHeaders.filter((stamp) => Object.hasOwn(fields, stamp)).map((stamp) => [stamp, fields[stamp]]),
          ),
        }),
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Returns Python's `isoformat()` of an aware time, always with six digits: its older parsers accept no others. */
function isoTime(ms: number): string {
  const whole = Math.floor(ms)
  const microseconds = Math.floor((ms - whole) * 1000)
  return `${new Date(whole).toISOString().slice(0, -1)}${String(microseconds).padStart(3, '0')}+00:00`
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError('a result is not an object')
  return value as Record<string, unknown>
}
