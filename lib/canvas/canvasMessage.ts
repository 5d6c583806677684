import type { CanvasFields } from '../protocol/encode.js'
import type { Kwargs, SignatureDict } from '../protocol/message.js'
import { parseTime } from '../protocol/time.js'
import { PlainDateTime } from '../protocol/values.js'
import { listOption } from './links.js'
import type { Signature, SignatureOptions } from './signature.js'
import { SignatureError } from './signatureError.js'

/** A task message that a canvas produces, before it has a route. */
export interface CanvasMessage {
  readonly id: string
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  /** The queue that the signature names; undefined if it names none. */
  readonly queue: string | undefined
  readonly exchange: string | undefined
  readonly routingKey: string | undefined
  readonly priority: number | undefined
  /** Seconds. */
  readonly countdown: number | undefined
  readonly eta: Date | undefined
  /** Seconds from sending, or a date. */
  readonly expires: number | Date | undefined
  readonly serializer: string | undefined
  readonly compression: string | undefined
  /** Null to let the sender set it. */
  readonly rootId: string | null
  /** Null to let the sender set it. */
  readonly parentId: string | null
  readonly replyTo: string | null
  /** Undefined to use the task's own option. */
  readonly ignoreResult: boolean | undefined
  /**
   * Whether to try again when the connection is lost, and how often, as in the signature. Only for senders that need
   * not wait.
   */
  readonly retry: boolean | undefined
  readonly retryPolicy: unknown
  /** Custom headers. */
  readonly headers: Readonly<Record<string, unknown>>
  /** The remaining fields, as `encodeTask` takes them. */
  readonly canvas: CanvasFields
}

type Call = Pick<Signature, 'args' | 'kwargs' | 'options'>

/**
 * The message of one task, from the keywords of its `apply_async`. Mirrors Celery's `as_task_v2`. Unknown keywords are
 * ignored.
 * @throws SignatureError that names the option
 */
export function canvasMessage(task: string, { args, kwargs, options }: Call, newId: () => string): CanvasMessage {
  const read = new Options(task, options)
  return {
    id: read.text('task_id') ?? newId(),
    task,
    args,
    kwargs,
    queue: read.text('queue') ?? undefined,
    exchange: read.text('exchange') ?? undefined,
    routingKey: read.text('routing_key') ?? undefined,
    priority: read.number('priority') ?? undefined,
    countdown: read.number('countdown') ?? undefined,
    eta: read.date('eta'),
    expires: typeof options.expires === 'number' ? options.expires : read.date('expires'),
    serializer: read.text('serializer') ?? undefined,
    compression: read.text('compression') ?? undefined,
    rootId: read.text('root_id'),
    parentId: read.text('parent_id'),
    replyTo: read.text('reply_to'),
    ignoreResult: typeof options.ignore_result === 'boolean' ? options.ignore_result : undefined,
    retry: typeof options.retry === 'boolean' ? options.retry : undefined,
    retryPolicy: options.retry_policy,
    headers: read.mapping('headers'),
    canvas: fieldsOf(read, options),
  }
}

function fieldsOf(read: Options, options: SignatureOptions): CanvasFields {
  const stampedHeaders = read.texts('stamped_headers')
  const list = (name: 'link' | 'link_error'): readonly SignatureDict[] | null => {
    const sigs = listOption(options, name)
    return sigs.length > 0 ? sigs.map(dictOf) : null
  }
  return {
    embed: {
      callbacks: list('link'),
      errbacks: list('link_error'),
      chain: Array.isArray(options.chain) ? options.chain.map(dictOf) : null,
      chord: options.chord ? dictOf(options.chord as Signature) : null,
    },
    groupId: read.text('group_id'),
    groupIndex: read.number('group_index'),
    shadow: read.text('shadow'),
    retries: read.number('retries') ?? 0,
    timelimit: [read.number('time_limit'), read.number('soft_time_limit')],
    replacedTaskNesting: read.number('replaced_task_nesting') ?? 0,
    stampedHeaders,
    stamps: Object.fromEntries((stampedHeaders ?? []).map((name) => [name, options[name] ?? null])),
  }
}

/** The form that travels: further properties of the signature, which are only for this program, are left out. */
function dictOf({ task, args, kwargs, options, subtask_type, immutable }: Signature): SignatureDict {
  return { task, args, kwargs, options, subtask_type, immutable }
}

/** Options by name and type; null means not given. */
class Options {
  constructor(
    private readonly task: string,
    private readonly options: SignatureOptions,
  ) {}

  text(name: string): string | null {
    return this.of(name, 'a text', (value) => typeof value === 'string')
  }

  number(name: string): number | null {
    return this.of(name, 'a number', (value) => typeof value === 'number' && Number.isFinite(value))
  }

  texts(name: string): string[] | null {
    return this.of(
      name,
      'a list of texts',
      (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    )
  }

  mapping(name: string): Record<string, unknown> {
    const isMapping = (value: unknown): boolean => typeof value === 'object' && !Array.isArray(value)
    return this.of<Record<string, unknown>>(name, 'a mapping', isMapping) ?? {}
  }

  date(name: string): Date | undefined {
    const value = this.options[name] ?? null
    if (value === null) return undefined
    const text = value instanceof PlainDateTime ? String(value) : value
    const time = text instanceof Date ? text.getTime() : typeof text === 'string' ? parseTime(text) : null
    if (time === null || Number.isNaN(time)) throw this.fault(name, 'an ISO 8601 time')
    return new Date(time)
  }

  private of<Type>(name: string, wanted: string, isOf: (value: unknown) => boolean): Type | null {
    const value = this.options[name] ?? null
    if (value !== null && !isOf(value)) throw this.fault(name, wanted)
    return value as Type | null
  }

  private fault(name: string, wanted: string): SignatureError {
    return new SignatureError(`${this.task}.options.${name}`, `must be ${wanted}`)
  }
}
