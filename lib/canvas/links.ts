import { isDeepStrictEqual } from 'node:util'
import { cloneSignature, isChord, isGroup, type Signature, type SignatureOptions } from './signature.js'

/** The settings that affect a canvas. */
export interface LinkOptions {
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader: boolean
}

/**
 * Adds a callback: to a group's first task, without the result as its argument, and to a chord's body. Mirrors Celery's
 * `link`.
 */
export function link(sig: Signature, callback: Signature): void {
  if (isGroup(sig)) {
    const [first] = sig.kwargs.tasks
    if (first) link(first, { ...cloneSignature(callback), immutable: true })
  } else if (isChord(sig)) {
    if (sig.kwargs.body) link(sig.kwargs.body, callback)
  } else appendOption(sig.options, 'link', callback)
}

/**
 * Adds an error callback: to each task of a group, and to a chord's body, or its header too. Mirrors Celery's
 * `link_error`.
 */
export function linkError(sig: Signature, errback: Signature, options: LinkOptions): void {
  if (isGroup(sig)) {
    for (const task of sig.kwargs.tasks) linkError(task, cloneSignature(errback), options)
  } else if (isChord(sig)) {
    const { header, body } = sig.kwargs
    if (options.errorsOnHeader) linkError(header, errback, options)
    for (const task of header.kwargs.tasks) if (isChord(task)) linkError(task, errback, options)
    if (body) linkError(body, errback, options)
  } else appendOption(sig.options, 'link_error', errback)
}

/** The callbacks in an option, whether it holds one, several or none. */
export function listOption(options: SignatureOptions, name: 'link' | 'link_error' | 'chain'): Signature[] {
  const value = options[name]
  if (value === null || value === undefined) return []
  return Array.isArray(value) ? (value as Signature[]) : [value as Signature]
}

function appendOption(options: SignatureOptions, name: 'link' | 'link_error', sig: Signature): void {
  const list = listOption(options, name)
  if (!list.some((other) => isDeepStrictEqual(other, sig))) options[name] = [...list, sig]
}
