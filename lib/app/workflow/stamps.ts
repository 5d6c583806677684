import { listOption } from '../../canvas/links.js'
import { cloneSignature, isChain, isChord, isGroup, type Signature } from '../../canvas/signature.js'
import type { Kwargs } from '../../protocol/message.js'
import { stampOptions } from './celeryOptions.js'

/** Stamps by name: values, or lists of them. */
export type Stamps = Readonly<Record<string, unknown>>

/** What a stamping visitor sees of a part of a workflow. */
export interface StampedPart {
  /** The name of the task; `celery.chain`, `celery.group`, `celery.chord` for a workflow. */
  readonly task: string
  /** What it is besides a call of one task; null for that. */
  readonly subtaskType: 'chain' | 'group' | 'chord' | null
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Keyword arguments; of a workflow its parts. */
  readonly kwargs: Kwargs
  /** Options by Celery's names. */
  readonly options: Readonly<Record<string, unknown>>
}

/** Says which stamps a part gets, beside those that it is given: `stamps`. Returns nothing for none. */
export type Stamping = (part: StampedPart, stamps: Stamps) => Stamps | undefined

/**
 * Says which stamps each part of a workflow gets. What is returned at the start of a chain, a group or a header is for all tasks in it; what is
 * given already stays. Mirrors Celery's `StampingVisitor`.
 */
export interface StampingVisitor {
  /** For each task, callbacks and bodies as well. */
  onSignature: Stamping
  /** For all steps of a chain. */
  onChainStart?: Stamping
  /** Called after the steps of a chain. */
  onChainEnd?(part: StampedPart, stamps: Stamps): void
  /** For all members of a group. */
  onGroupStart?: Stamping
  /** Called after the members of a group. */
  onGroupEnd?(part: StampedPart, stamps: Stamps): void
  /** For all members of the header of a chord, and its body; what `onGroupStart` says of the header if it isn't there. */
  onChordHeaderStart?: Stamping
  /** Called after the members of the header of a chord; `onGroupEnd` if it isn't there. */
  onChordHeaderEnd?(part: StampedPart, stamps: Stamps): void
  /** For the body of a chord. */
  onChordBody?: Stamping
  /** For each callback. */
  onCallback?: Stamping
  /** For each callback for failures. */
  onErrback?: Stamping
}

/** How stamps are added. */
export interface StampOptions {
  /** Whether a stamp that is there already becomes a list of both, instead of being replaced; false unless given. */
  readonly append?: boolean
}

/** Whether it is a visitor, and not stamps by name. */
export function isVisitor(given: StampingVisitor | Stamps): given is StampingVisitor {
  return typeof given.onSignature === 'function'
}

/** Adds the same stamps everywhere. */
export function sameStamps(stamps: Stamps): StampingVisitor {
  return { onSignature: () => stamps }
}

/**
 * Stamps a canvas, its parts and its callbacks. Mirrors `Signature.stamp` and its kin, but that the body of a chord is stamped without a visitor, too.
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

/** A copy of a signature shares its callbacks with it. */
function ownLinks({ options }: Signature, name: 'link' | 'link_error'): readonly Signature[] {
  const links = listOption(options, name).map(cloneSignature)
  if (links.length > 0) options[name] = links
  return links
}

/** Two sets of stamps; of a name in both, the first one's value, or with `append` a list of both. Lists are always joined. */
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
