import type { Kwargs } from '../protocol/message.js'
import type { Settings } from '../settings/table.js'
import {
  isChord,
  isGroup,
  listSignature,
  NESTED_LISTS,
  type Signature,
  type SignatureList,
  type SignatureOptions,
  type SubtaskType,
} from './signature.js'
import { SignatureError } from './signatureError.js'

/** How large a canvas may be. */
export interface CanvasLimits {
  /** The most signatures in one canvas, including nested ones. */
  readonly elements: number
  /** The deepest nesting of signatures. */
  readonly depth: number
}

/** For canvases that this process has made, or has checked before. */
export const NO_LIMITS: CanvasLimits = { elements: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY }

/** The limits of a canvas, from the settings. */
export function canvasLimits(
  settings: Pick<Settings, 'worker_max_canvas_items' | 'worker_max_canvas_nesting'>,
): CanvasLimits {
  return { elements: settings.worker_max_canvas_items, depth: settings.worker_max_canvas_nesting }
}

/**
 * Reads a signature from its dict, with every field checked. It shares nothing with the dict but the arguments
 * themselves.
 * @param field the name of the dict in errors, such as `callbacks[0]`
 * @throws SignatureError that names the field
 */
export function parseSignature(given: unknown, field: string, limits: CanvasLimits): Signature {
  return new Reader(limits).read(given, field, 0)
}

/**
 * Reads signatures from a list of dicts, or from a single one, as Celery accepts both; null means none.
 * @throws SignatureError that names the field
 */
export function parseSignatures(given: unknown, field: string, limits: CanvasLimits): Signature[] {
  return new Reader(limits).listOf(given, field, 0)
}

/** Reads one canvas. A canvas that contains itself reaches a limit. */
class Reader {
  private elements = 0

  constructor(private readonly limits: CanvasLimits) {}

  read(given: unknown, field: string, depth: number): Signature {
    const { depth: deepest, elements: most } = this.limits
    if (depth > deepest)
      throw new SignatureError(field, `is nested deeper than the ${deepest} of worker_max_canvas_nesting`)
    if (++this.elements > most)
      throw new SignatureError(field, `is one more signature than the ${most} of worker_max_canvas_items`)
    const dict = mapping(given, field)
    const { task, args, immutable } = dict
    if (typeof task !== 'string' || task === '') throw new SignatureError(`${field}.task`, 'must be a non-empty string')
    if (!isAbsent(args) && !Array.isArray(args)) throw new SignatureError(`${field}.args`, 'must be a list')
    const kind = kindOf(dict.subtask_type, field)
    const kwargs = mapping(dict.kwargs ?? {}, `${field}.kwargs`)
    return {
      task,
      args: [...((args ?? []) as unknown[])],
      kwargs: kind === null ? { ...kwargs } : this.partsOf(kind, kwargs, `${field}.kwargs`, depth + 1),
      options: this.optionsOf(dict.options ?? {}, `${field}.options`, depth + 1),
      subtask_type: kind,
      immutable: immutable === true,
    }
  }

  listOf(given: unknown, field: string, depth: number): Signature[] {
    if (isAbsent(given)) return []
    if (!Array.isArray(given)) return [this.read(given, field, depth)]
    return given.map((sig, at) => this.read(sig, `${field}[${at}]`, depth))
  }

  private partsOf(kind: SubtaskType, kwargs: Kwargs, field: string, depth: number): Kwargs {
    if (kind !== 'chord') {
      if (!Array.isArray(kwargs.tasks)) throw new SignatureError(`${field}.tasks`, 'must be a list of signatures')
      return { ...kwargs, tasks: this.listOf(kwargs.tasks, `${field}.tasks`, depth) }
    }
    const { body, header } = kwargs
    return {
      kwargs: mapping(kwargs.kwargs ?? {}, `${field}.kwargs`),
      header: this.headerOf(header, `${field}.header`, depth),
      body: isAbsent(body) ? null : this.read(body, `${field}.body`, depth),
    }
  }

  /** A group, or its members, or a single one. For a chain Celery takes its steps. */
  private headerOf(given: unknown, field: string, depth: number): SignatureList {
    if (Array.isArray(given)) return listSignature('group', this.listOf(given, field, depth))
    const header = this.read(given, field, depth)
    if (header.subtask_type === null || isChord(header)) return listSignature('group', [header])
    const { task_id } = header.options
    const options = isGroup(header) && typeof task_id === 'string' ? { task_id } : {}
    return listSignature('group', (header as SignatureList).kwargs.tasks, options)
  }

  /**
   * The body of a member's chord is left as it is: it is read when it is called, and in a large header it occurs many
   * times.
   */
  private optionsOf(given: unknown, field: string, depth: number): SignatureOptions {
    const options = { ...mapping(given, field) }
    for (const name of NESTED_LISTS) {
      if (!isAbsent(options[name])) options[name] = this.listOf(options[name], `${field}.${name}`, depth)
    }
    if (!isAbsent(options.chord)) mapping(options.chord, `${field}.chord`)
    return options
  }
}

function kindOf(kind: unknown, field: string): SubtaskType | null {
  if (isAbsent(kind) || kind === '') return null
  if (kind === 'chain' || kind === 'group' || kind === 'chord') return kind
  throw new SignatureError(`${field}.subtask_type`, 'must be null, "chain", "group" or "chord"')
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/** A plain object: not a list, nor one of the values (bytes, dates, decimals) that a document may hold. */
function mapping(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === null || Object.getPrototypeOf(prototype) === null) return value as Record<string, unknown>
  }
  throw new SignatureError(field, 'must be a mapping')
}
