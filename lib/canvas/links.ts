import { cloneSignature, isChord, isGroup, type Signature, type SignatureOptions } from './signature.js'
import { addUnlisted } from './unlisted.js'

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
