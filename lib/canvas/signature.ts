import type { Kwargs } from '../protocol/message.js'

/** The kinds of signatures other than a plain task. */
export type SubtaskType = 'chain' | 'group' | 'chord'

/** Celery's `options`: keywords of `apply_async`, as they travel. Null means not given. */
export type SignatureOptions = Record<string, unknown>

/**
 * A task call that isn't sent yet, or several: Celery's signature, in the form in which it travels. The parts of a chain or a group are
 * in `kwargs.tasks`; those of a chord in `kwargs.header`, a group here always, and `kwargs.body`. Freezing writes into it, as Celery's does.
 */
export interface Signature {
  task: string
  args: readonly unknown[]
  kwargs: Kwargs
  options: SignatureOptions
  subtask_type: SubtaskType | null
  immutable: boolean
}

/** The steps of a chain, or the members of a group. */
export interface SignatureList extends Signature {
  subtask_type: 'chain' | 'group'
  kwargs: Kwargs & { tasks: Signature[] }
}

/** A header, and the body that is called with its results. */
export interface ChordSignature extends Signature {
  subtask_type: 'chord'
  kwargs: Kwargs & { header: SignatureList; body: Signature | null; kwargs: Kwargs }
}

/** The options that hold lists of signatures. */
export const NESTED_LISTS = ['link', 'link_error', 'chain'] as const

/** The signature of a plain task. */
export function taskSignature(
  task: string,
  args: readonly unknown[] = [],
  kwargs: Kwargs = {},
  options: SignatureOptions = {},
  immutable = false,
): Signature {
  return { task, args, kwargs, options, subtask_type: null, immutable }
}

/** A chain or a group of signatures. */
export function listSignature(
  kind: 'chain' | 'group',
  tasks: Signature[],
  options: SignatureOptions = {},
): SignatureList {
  return { task: `celery.${kind}`, args: [], kwargs: { tasks }, options, subtask_type: kind, immutable: false }
}

/** A chord of a header and a body. */
export function chordSignature(
  header: SignatureList,
  body: Signature | null,
  options: SignatureOptions = {},
): ChordSignature {
  const kwargs = { kwargs: {}, header, body }
  return { task: 'celery.chord', args: [], kwargs, options, subtask_type: 'chord', immutable: false }
}

export const isChain = (sig: Signature): sig is SignatureList => sig.subtask_type === 'chain'
export const isGroup = (sig: Signature): sig is SignatureList => sig.subtask_type === 'group'
export const isChord = (sig: Signature): sig is ChordSignature => sig.subtask_type === 'chord'

/**
 * A copy whose options, and whose parts' options, may be changed. Arguments, and the body that a chord's member reports
 * to, are shared: nothing writes into them.
 */
export function cloneSignature(sig: Signature): Signature {
  const options = { ...sig.options }
  for (const name of NESTED_LISTS) if (Array.isArray(options[name])) options[name] = [...options[name]]
  const { task, args, kwargs, subtask_type, immutable } = sig
  const copy = { task, args, kwargs, options, subtask_type, immutable }
  if (isChord(sig)) {
    const { header, body } = sig.kwargs
    copy.kwargs = {
      ...sig.kwargs,
      header: cloneSignature(header) as SignatureList,
      body: body === null ? null : cloneSignature(body),
    } satisfies ChordSignature['kwargs']
  } else if (sig.subtask_type !== null) {
    copy.kwargs = { ...sig.kwargs, tasks: (sig as SignatureList).kwargs.tasks.map(cloneSignature) }
  }
  return copy
}

/**
 * A group of one becomes its only member; any other signature stays as it is. Mirrors Celery's `maybe_unroll_group`.
 */
export function unrolled(sig: Signature): Signature {
  const [first, ...others] = isGroup(sig) ? sig.kwargs.tasks : []
  return first && others.length === 0 ? first : sig
}

/**
 * A member of a chord's header with a task at its end, so that the chord gets to know of it. Nothing is sent for a group
 * without tasks: a task that returns its result, an empty list, takes its place. Celery counts what comes before such a
 * group, and waits for it forever. May write into the signature.
 */
export function withEnd(sig: Signature): Signature {
  if (isEmpty(sig)) return taskSignature('celery.accumulate', [], {}, sig.options, true)
  if (isGroup(sig)) sig.kwargs.tasks = sig.kwargs.tasks.map((task) => (isEmpty(task) ? task : withEnd(task)))
  if (isChord(sig) && sig.kwargs.body !== null) sig.kwargs.body = withEnd(sig.kwargs.body)
  if (isChain(sig)) {
    const { tasks } = sig.kwargs
    let at = tasks.length - 1
    for (let step = tasks[at]; step && isChain(step) && step.kwargs.tasks.length === 0; step = tasks[at]) at--
    const last = tasks[at]
    if (last) tasks[at] = withEnd(last)
  }
  return sig
}

function isEmpty(sig: Signature): boolean {
  return isGroup(sig) && sig.kwargs.tasks.every(isEmpty)
}
