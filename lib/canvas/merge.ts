import type { Kwargs } from '../protocol/message.js'
import { cloneSignature, type Signature, type SignatureOptions } from './signature.js'

/** What a call adds to a signature: arguments before its own, keyword arguments and options over its own. */
export interface CallParts {
  readonly args?: readonly unknown[] | undefined
  readonly kwargs?: Kwargs | undefined
  readonly options?: SignatureOptions | undefined
}

/** The message header in which a producer may give the order key: one part, or a list of the parts of a nested key. */
export const KEY_HEADER = 'order_key'
/** Options of a signature that a call can't change: otherwise results would be awaited in vain. */
const LASTING = ['group_id', 'stamped_headers'] as const

/** A signature's own arguments and options together with those of a call. Mirrors Celery's `Signature._merge`. */
export function merge(sig: Signature, call: CallParts): Pick<Signature, 'args' | 'kwargs' | 'options'> {
  const { args = [], kwargs = {}, options } = call
  const merged = options === undefined ? sig.options : mergeOptions(sig.options, options)
  if (sig.immutable) return { args: sig.args, kwargs: sig.kwargs, options: merged }
  return {
    args: args.length > 0 ? [...args, ...sig.args] : sig.args,
    kwargs: Object.keys(kwargs).length > 0 ? { ...sig.kwargs, ...kwargs } : sig.kwargs,
    options: merged,
  }
}

/** The signature's options, overridden by those of a call, except stamps and options that must not change. */
export function mergeOptions(own: SignatureOptions, given: SignatureOptions): SignatureOptions {
  const merged = { ...own }
  const stamps = Array.isArray(own.stamped_headers) ? (own.stamped_headers as unknown[]) : []
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined) continue
    const isKept = stamps.includes(name) || (LASTING as readonly string[]).includes(name)
    if (isKept && own[name] !== undefined && own[name] !== null) continue
    merged[name] = name === 'headers' ? mergeHeaders(own.headers, value) : value
  }
  return merged
}

/** Options, with all those that are given in their place. Headers are merged as in a call. */
export function replaceOptions(own: SignatureOptions, given: SignatureOptions): SignatureOptions {
  const replaced = { ...own, ...given }
  if (isTable(given.headers)) replaced.headers = mergeHeaders(own.headers, given.headers)
  return replaced
}

/**
 * Custom headers that replace a signature's own, as in Celery. The order key is an option of its own to those who write
 * it: it stays unless there is another one, and alone it replaces no other header.
 */
function mergeHeaders(own: unknown, given: unknown): unknown {
  if (!isTable(own) || !isTable(given)) return given
  if (!Object.hasOwn(given, KEY_HEADER))
    return Object.hasOwn(own, KEY_HEADER) ? { ...given, [KEY_HEADER]: own[KEY_HEADER] } : given
  return Object.keys(given).length === 1 ? { ...own, ...given } : given
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy with the additions of a call. */
export function cloneWith(sig: Signature, call: CallParts): Signature {
  const copy = cloneSignature(sig)
  return Object.assign(copy, merge(copy, call))
}
