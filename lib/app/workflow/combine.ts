import { cloneWith } from '../../canvas/merge.js'
import { pipeAll } from '../../canvas/pipe.js'
import {
  chordSignature,
  isGroup,
  listSignature,
  type Signature as SignatureDict,
  type SignatureList,
} from '../../canvas/signature.js'
import type { AsyncResult } from '../asyncResult.js'
import type { GroupResult } from '../groupResult.js'
import { type AnySignature, dictOf, homeOf, Signature } from './signature.js'

/** Calls that run side by side; the result is the list of their results. */
export type Group<Lead extends readonly unknown[], Results extends readonly unknown[]> = Signature<
  Lead,
  Results,
  GroupResult<Results>
> & {
  /** Marks a group among signatures. */
  readonly subtaskType: 'group'
}

/** The arguments that may be passed to each of the members. */
type LeadOfAll<Members extends readonly AnySignature[]> = (
  Members[number] extends infer Member
    ? Member extends Signature<infer Lead, unknown, unknown>
      ? (lead: Lead) => void
      : never
    : never
) extends (lead: infer All extends readonly unknown[]) => void
  ? All
  : never
/** The results of the members; a nested group counts as its own members. */
type ResultsOf<Members extends readonly AnySignature[]> = Members extends readonly [
  infer First,
  ...infer Rest extends readonly AnySignature[],
]
  ? [...ResultsOfMember<First>, ...ResultsOf<Rest>]
  : Members extends readonly []
    ? []
    : ResultsOfMember<Members[number]>[number][]
type ResultsOfMember<Member> =
  Member extends Group<never, infer Results>
    ? Results
    : Member extends Signature<never, infer Result, unknown>
      ? readonly [Result]
      : never

type Step<Given, Result> = Signature<readonly [Given], Result, unknown>
type Last<Given, Result, Handle> = Signature<readonly [Given], Result, Handle>

/**
 * Calls that run one after another: the result of each is the first argument of the next, unless that is immutable
 * (`si`). Up to eight steps are typed one by one, more with `pipe`; a list of steps is not typed. A group before a step
 * becomes the header of a chord. Mirrors Celery's `chain`.
 * @throws TypeError for a step that is not a signature, and without any step
 */
export function chain<L extends readonly unknown[], A, H>(a: Signature<L, A, H>): Signature<L, A, H>
export function chain<L extends readonly unknown[], A, B, H>(
  a: Signature<L, A, unknown>,
  b: Last<NoInfer<A>, B, H>,
): Signature<L, B, H>
export function chain<L extends readonly unknown[], A, B, C, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Last<NoInfer<B>, C, H>,
): Signature<L, C, H>
export function chain<L extends readonly unknown[], A, B, C, D, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Step<NoInfer<B>, C>,
  d: Last<NoInfer<C>, D, H>,
): Signature<L, D, H>
export function chain<L extends readonly unknown[], A, B, C, D, E, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Step<NoInfer<B>, C>,
  d: Step<NoInfer<C>, D>,
  e: Last<NoInfer<D>, E, H>,
): Signature<L, E, H>
export function chain<L extends readonly unknown[], A, B, C, D, E, F, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Step<NoInfer<B>, C>,
  d: Step<NoInfer<C>, D>,
  e: Step<NoInfer<D>, E>,
  f: Last<NoInfer<E>, F, H>,
): Signature<L, F, H>
export function chain<L extends readonly unknown[], A, B, C, D, E, F, G, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Step<NoInfer<B>, C>,
  d: Step<NoInfer<C>, D>,
  e: Step<NoInfer<D>, E>,
  f: Step<NoInfer<E>, F>,
  g: Last<NoInfer<F>, G, H>,
): Signature<L, G, H>
export function chain<L extends readonly unknown[], A, B, C, D, E, F, G, I, H>(
  a: Signature<L, A, unknown>,
  b: Step<NoInfer<A>, B>,
  c: Step<NoInfer<B>, C>,
  d: Step<NoInfer<C>, D>,
  e: Step<NoInfer<D>, E>,
  f: Step<NoInfer<E>, F>,
  g: Step<NoInfer<F>, G>,
  h: Last<NoInfer<G>, I, H>,
): Signature<L, I, H>
export function chain(steps: readonly AnySignature[]): Signature<readonly unknown[], unknown, AsyncResult>
export function chain(...given: readonly unknown[]): Signature<readonly unknown[], unknown, unknown> {
  const steps = listed('chain', given)
  if (steps.length === 0) throw new TypeError('chain: expected one step at least')
  const first = steps.every(({ subtask_type }) => subtask_type === null)
    ? listSignature('chain', steps)
    : pipeAll(listSignature('chain', []), steps, { keepsGroups: true })
  return new Signature(steps.length === 1 ? (steps[0] as SignatureDict) : first, homeOf(given))
}

/**
 * Calls that run side by side: several arguments, or one list. Leading arguments go to each member. The members of a
 * nested group become members of this one, and so do their results. Mirrors Celery's `group`.
 * @throws TypeError for a member that is not a signature
 */
export function group<L extends readonly unknown[], R extends readonly unknown[]>(
  members: readonly Group<L, R>[],
): Group<L, R[number][]>
export function group<L extends readonly unknown[], R>(members: readonly Signature<L, R, unknown>[]): Group<L, R[]>
export function group<const Members extends readonly AnySignature[]>(
  ...members: Members
): Group<LeadOfAll<Members>, ResultsOf<Members>>
export function group(...given: readonly unknown[]): unknown {
  return new Signature(listSignature('group', flat(listed('group', given))), homeOf(given))
}

/**
 * A group, the header, and a body that is called with the list of the group's results. Without a header the body gets
 * an empty list. Mirrors Celery's `chord`.
 * @throws TypeError for a value that is not a signature
 */
export function chord<L extends readonly unknown[], Results extends readonly unknown[], R, H>(
  header: Group<L, Results>,
  body: Last<NoInfer<Results>, R, H>,
): Signature<L, R, H>
export function chord<L extends readonly unknown[], Results extends readonly unknown[], R, H>(
  header: readonly Group<L, Results>[],
  body: Last<NoInfer<Results>[number][], R, H>,
): Signature<L, R, H>
export function chord<L extends readonly unknown[], Result, R, H>(
  header: readonly Signature<L, Result, unknown>[],
  body: Last<NoInfer<Result>[], R, H>,
): Signature<L, R, H>
export function chord(header: unknown, body: unknown): Signature<readonly unknown[], unknown, unknown> {
  const tasks = Array.isArray(header) ? listed('chord', [header]) : [dictOf(header, 'chord')]
  const [first] = tasks
  const isWhole = first?.subtask_type === 'group' && !Array.isArray(header)
  const group = isWhole ? first : listSignature('group', flat(tasks))
  return new Signature(chordSignature(group as SignatureList, dictOf(body, "chord's body")), homeOf([header, body]))
}

/**
 * Replaces nested groups by their members, so that a body gets the results in the order in which they are written:
 * Celery flattens the groups in a header in reverse order.
 */
function flat(members: readonly SignatureDict[]): SignatureDict[] {
  return members.flatMap((member) => {
    if (!isGroup(member)) return [member]
    const { task_id: _, group_id: __, ...options } = member.options
    return member.kwargs.tasks.map((task) => cloneWith(task, { options }))
  })
}

/** The signatures of several arguments, or of one list. */
function listed(call: string, given: readonly unknown[]): SignatureDict[] {
  const [first] = given
  const all = given.length === 1 && Array.isArray(first) ? (first as readonly unknown[]) : given
  return all.map((sig, at) => dictOf(sig, `${call}: place ${at + 1}`))
}
