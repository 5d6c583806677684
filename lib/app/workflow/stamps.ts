import { listOption } from '../../canvas/links.js'
import { cloneSignature, isChain, isChord, isGroup, type Signature } from '../../canvas/signature.js'
import type { Kwargs } from '../../protocol/message.js'
import { stampOptions } from './celeryOptions.js'

/** Stamps by name: values, or lists of them. */
export type Stamps = Readonly<Record<string, unknown>>

/** A part of a workflow, as a stamping visitor sees it. */
export interface StampedPart {
  /** The name of the task; `celery.chain`, `celery.group`, `celery.chord` for a workflow. */
  readonly task: string
  /** The kind of workflow; null for a call of one task. */
  readonly subtaskType: 'chain' | 'group' | 'chord' | null
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments; the parts of a workflow. */
  readonly kwargs: Kwargs
  /** Options by Celery's names. */
  readonly options: Readonly<Record<string, unknown>>
}

/** Returns the stamps of a part, in addition to those that it gets anyway: `stamps`. Returns nothing for none. */
export type Stamping = (part: StampedPart, stamps: Stamps) => Stamps | undefined

/**
 * Returns the stamps of each part of a workflow. Stamps returned at the start of a chain, a group or a header apply to
 * all tasks in it; stamps that exist already stay. Mirrors Celery's `StampingVisitor`.
 */
export interface StampingVisitor {
  /** Called for each task, including callbacks and bodies. */
  onSignature: Stamping
  /** Stamps for all steps of a chain. */
  onChainStart?: Stamping
  /** Called after the steps of a chain. */
  onChainEnd?(part: StampedPart, stamps: Stamps): void
  /** Stamps for all members of a group. */
  onGroupStart?: Stamping
  /** Called after the members of a group. */
  onGroupEnd?(part: StampedPart, stamps: Stamps): void
  /**
   * Stamps for all members of the header of a chord, and its body; without it, what `onGroupStart` returns for the
   * header.
   */
  onChordHeaderStart?: Stamping
  /** Called after the members of the header of a chord; without it `onGroupEnd` is called. */
  onChordHeaderEnd?(part: StampedPart, stamps: Stamps): void
  /** Stamps for the body of a chord. */
  onChordBody?: Stamping
  /** Stamps for each callback. */
  onCallback?: Stamping
  /** Stamps for each error callback. */
  onErrback?: Stamping
}

/** How stamps are added. */
export interface StampOptions {
  /** Whether a stamp that exists already becomes a list of both, instead of being replaced; false unless given. */
  readonly append?: boolean
}

/** Whether the argument is a visitor, rather than stamps by name. */
export function isVisitor(given: StampingVisitor | Stamps): given is StampingVisitor {
  return typeof given.onSignature === 'function'
}

/** Adds the same stamps everywhere. */
export function sameStamps(stamps: Stamps): StampingVisitor {
  return { onSignature: () => stamps }
}

/**
 * Stamps a canvas, its parts and its callbacks. Mirrors `Signature.stamp` and related methods, except that the body of
 * a chord is stamped without a visitor, too.
 * @throws TypeError for a stamp that has the name of an option
 */
export function stampAll(sig: Signature, visitor: StampingVisitor, append: boolean, given: Stamps = {}): void {
  const add = (part: Signature, stamps: Stamps): void => stampAll(part, visitor, append, stamps)
  const joined = (stamps: Stamps, added: Stamps | undefined): Stamps => mergeStamps(stamps, added ?? {}, append)
  const own = (stamps: Stamps): Stamps => mergeStamps(stamps, stampsOf(sig), append)
  const links = (stamps: Stamps): void => {
    for (const link of ownLinks(sig, 'link')) add(link, joined(stamps, visitor.onCallback?.(partOf(link), stamps)))
    for (const link of ownLinks(sig, 'link_error')) add(link, joined(stamps, visitor.onErrback?.(partOf(link), stamps)))
  }
  const part = partOf(sig)
  if (isChain(sig) || isGroup(sig)) {
    const [start, end] = isChain(sig)
      ? [visitor.onChainStart?.(part, given), 'onChainEnd' as const]
      : [visitor.onGroupStart?.(part, given), 'onGroupEnd' as const]
    const stamps = own(joined(given, start))
    links(stamps)
    for (const task of sig.kwargs.tasks) add(task, stamps)
    visitor[end]?.(part, stamps)
  } else if (isChord(sig)) {
    const { body, header } = sig.kwargs
    const group = partOf(header)
    const start = visitor.onChordHeaderStart
      ? visitor.onChordHeaderStart(part, given)
      : visitor.onGroupStart?.(group, given)
    const stamps = own(joined(given, start))
    links(stamps)
    for (const task of header.kwargs.tasks) add(task, stamps)
    if (visitor.onChordHeaderEnd) visitor.onChordHeaderEnd(part, stamps)
    else visitor.onGroupEnd?.(group, stamps)
    if (body !== null) add(body, joined(stamps, visitor.onChordBody?.(part, stamps)))
  } else {
    links(given)
    const stamps = own(joined(given, visitor.onSignature(part, given)))
    if (Object.keys(stamps).length > 0) Object.assign(sig.options, stampOptions(stamps))
  }
}

/** A copy of a signature shares its callbacks with the original. */
function ownLinks({ options }: Signature, name: 'link' | 'link_error'): readonly Signature[] {
  const links = listOption(options, name).map(cloneSignature)
  if (links.length > 0) options[name] = links
  return links
}

/**
 * Merges two sets of stamps; if a name is in both, the first value wins, or with `append` both become a list. Lists are
 * always joined.
 */
function mergeStamps(stamps: Stamps, added: Stamps, append: boolean): Stamps {
  const merged: Record<string, unknown> = { ...added, ...stamps }
  for (const name of Object.keys(added).filter((name) => Object.hasOwn(stamps, name))) {
    const [one, other] = [stamps[name], added[name]]
    if (append || (Array.isArray(one) && Array.isArray(other))) merged[name] = [one, other].flat()
  }
  return merged
}

function stampsOf({ options }: Signature): Stamps {
  const { stamped_headers: names } = options
  if (!Array.isArray(names)) return {}
  return Object.fromEntries((names as string[]).map((name) => [name, options[name] ?? null]))
}

function partOf({ args, kwargs, options, subtask_type, task }: Signature): StampedPart {
  return { task, subtaskType: subtask_type, args, kwargs, options }
}
