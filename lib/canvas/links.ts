import { isDeepStrictEqual } from 'node:util'
import { cloneSignature, isChord, isGroup, type Signature, type SignatureOptions } from './signature.js'

/** Up to this length a list is searched as it is. */
const SHORT = 8

/** The settings that affect a canvas. */
export interface LinkOptions {
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader: boolean
}

/**
 * Adds callbacks: to a group's first task, without the result as its argument, and to a chord's body. Mirrors Celery's
 * `link`.
 */
export function link(sig: Signature, callbacks: readonly Signature[]): void {
  if (isGroup(sig)) {
    const [first] = sig.kwargs.tasks
    if (first) {
      link(
        first,
        callbacks.map((callback) => ({ ...cloneSignature(callback), immutable: true })),
      )
    }
  } else if (isChord(sig)) {
    if (sig.kwargs.body) link(sig.kwargs.body, callbacks)
  } else appendOption(sig.options, 'link', callbacks)
}

/**
 * Adds error callbacks: to each task of a group, and to a chord's body, or its header too. Mirrors Celery's
 * `link_error`.
 */
export function linkError(sig: Signature, errbacks: readonly Signature[], options: LinkOptions): void {
  if (isGroup(sig)) {
    for (const task of sig.kwargs.tasks) linkError(task, errbacks.map(cloneSignature), options)
  } else if (isChord(sig)) {
    const { header, body } = sig.kwargs
    if (options.errorsOnHeader) linkError(header, errbacks, options)
    for (const task of header.kwargs.tasks) if (isChord(task)) linkError(task, errbacks, options)
    if (body) linkError(body, errbacks, options)
  } else appendOption(sig.options, 'link_error', errbacks)
}

/** The callbacks in an option, whether it holds one, several or none. */
export function listOption(options: SignatureOptions, name: 'link' | 'link_error' | 'chain'): Signature[] {
  const value = options[name]
  if (value === null || value === undefined) return []
  return Array.isArray(value) ? (value as Signature[]) : [value as Signature]
}

function appendOption(options: SignatureOptions, name: 'link' | 'link_error', sigs: readonly Signature[]): void {
  if (sigs.length > 0) options[name] = addUnlisted(listOption(options, name), sigs)
}

/**
 * Returns a list with further signatures at its end, those left out that it has already. A message may bring as many as
 * it likes, so not each of them is compared with each: only those with the same text are.
 */
function addUnlisted(list: readonly Signature[], sigs: readonly Signature[]): Signature[] {
  const all = [...list]
  if (list.length + sigs.length <= SHORT) {
    for (const sig of sigs) if (!all.some((other) => isDeepStrictEqual(other, sig))) all.push(sig)
    return all
  }
  const alike = new Map<string, Signature[]>()
  for (const sig of list) bucketOf(alike, sig).push(sig)
  for (const sig of sigs) {
    const bucket = bucketOf(alike, sig)
    if (bucket.some((other) => isDeepStrictEqual(other, sig))) continue
    bucket.push(sig)
    all.push(sig)
  }
  return all
}

function bucketOf(alike: Map<string, Signature[]>, sig: Signature): Signature[] {
  const text = textOf(sig)
  const bucket = alike.get(text) ?? []
  alike.set(text, bucket)
  return bucket
}

/**
 * A text that equal signatures share, and others that a message can bring do not: texts begin with another letter than
 * what stands for numbers, dates or bytes.
 */
function textOf(sig: Signature): string {
  try {
    return JSON.stringify(sig, function (this: Record<string, unknown>, key: string, value: unknown): unknown {
      const given = this[key]
      if (typeof given === 'string') return `t${given}`
      if (typeof given === 'bigint' || typeof given === 'number') return `n${Object.is(given, -0) ? '-0' : given}`
      if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
      return isMapping(given) ? inOrder(given) : `v${given.constructor.name} ${contentOf(given, value)}`
    })
  } catch {
    // Circular, or nested too deep: it can't be sent either.
    return ''
  }
}

/** A date has more digits than its text in JSON. */
function contentOf(given: object, written: unknown): string {
  if (ArrayBuffer.isView(given)) return Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('base64')
  return JSON.stringify([written, Object.entries(given)])
}

function isMapping(value: object): value is Record<string, unknown> {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The order of keys makes no difference. */
function inOrder(mapping: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapping).sort(([one], [other]) => (one < other ? -1 : 1)))
}
