import type { Channel } from 'amqplib'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { AmqpTable } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Epoch } from './epoch.js'
import { isReply } from './replyCode.js'

/** The properties of a queue that decide how it is consumed. */
export interface QueueKind {
  readonly type: 'classic' | 'quorum' | 'stream'
  /** `x-single-active-consumer`: the broker gives its messages to one consumer at a time. */
  readonly singleActive: boolean
  /** Set if the broker deletes it, with its messages, as soon as its last consumer is gone. */
  readonly autoDelete?: true
}

/** How a queue is consumed. */
export interface ConsumedQueue extends QueueKind {
  /**
   * Prefetch of the queue's only consumer, if its order or its messages require a single one; null for a window that
   * changes.
   */
  readonly fixed: number | null
  /** Whether the window changes although that breaks the queue's order: there is none to keep, as far as is known. */
  readonly breaksOrder: boolean
}

type Declaration = Pick<QueueSpec, 'name' | 'durable' | 'exclusive' | 'autoDelete' | 'arguments'>

/**
 * RabbitMQ's 406 names the first argument, in alphabetical order, in which the existing queue differs from ours, and
 * its value. It names the AMQP type of the value only if one side lacks the argument.
 */
const TELLING = /inequivalent arg '([\w-]+)' .* but current is (?:none|(?:the value )?'(.*?)'(?: of type '(\w+)')?)"?$/s

/** Declarations to try if the broker's error text isn't understood: one of these is accepted, or nothing is known. */
const USUAL: readonly AmqpTable[] = [
  { 'x-queue-type': 'quorum' },
  { 'x-single-active-consumer': true },
  { 'x-queue-type': 'quorum', 'x-single-active-consumer': true },
]

/** Whether a broker refuses a declaration because the queue exists with other arguments, or can't have these. */
export function isMismatch(thrown: unknown): boolean {
  return isReply(thrown, 'PRECONDITION_FAILED')
}

/** queue.declare with the arguments of a declaration. */
export function assertQueue(channel: Channel, declaration: Declaration): Promise<unknown> {
  const { arguments: args, autoDelete, durable, exclusive, name } = declaration
  return channel.assertQueue(name, { durable, exclusive, autoDelete, arguments: args })
}

/**
 * Finds out the kind of an existing queue. AMQP has no such query, but a declaration is accepted only if it is
 * equivalent to the queue: so the broker's acceptance of a declaration decides, and the texts of its refusals only say
 * what to try next.
 * @param spec as it was declared
 * @param refusal the broker's error for it; null if it was accepted
 * @param mustKnow find out even if the broker accepts a quorum queue's declaration as a classic one
 *   (`quorum_queue.property_equivalence.relaxed_checks_on_redeclaration`). Costs a refusal, that is a line in the
 *   broker's log, for each classic queue
 * @returns the kind; if it can't be found out, after a warning, the one that is consumed with the most care
 * @throws the broker's error if it isn't about the arguments
 */
export async function kindOf(
  epoch: Epoch,
  spec: QueueSpec,
  refusal: string | null,
  { log, mustKnow }: { readonly log: Logger; readonly mustKnow: boolean },
): Promise<QueueKind> {
  const known = refusal === null ? spec : await learn(epoch, spec, refusal)
  if (known === null) {
    log.warning(
      `Could not determine the type of queue ${spec.name}. It is consumed as if it were a quorum queue with a single active consumer: set its queue_arguments in task_queues to those that it has`,
    )
    return { type: 'quorum', singleActive: true }
  }
  return {
    type: await typeOf(epoch, known, mustKnow),
    singleActive: known.arguments['x-single-active-consumer'] === true,
    ...(known.autoDelete ? { autoDelete: true as const } : {}),
  }
}

/**
 * Declares a queue unless it exists. @returns its actual arguments; null if the broker's error text doesn't tell them
 */
export async function argumentsOf(epoch: Epoch, spec: QueueSpec): Promise<AmqpTable | null> {
  const refusal = await refusalOf(epoch, spec)
  const known = refusal === null ? spec : await learn(epoch, spec, refusal)
  return known?.arguments ?? null
}

/**
 * A declaration without a type is accepted for any queue of the virtual host's default type, so it alone proves
 * nothing.
 */
async function typeOf(epoch: Epoch, known: Declaration, mustKnow: boolean): Promise<QueueKind['type']> {
  const type = known.arguments['x-queue-type']
  if (type === 'quorum' || type === 'stream') return type
  if (!known.durable || known.exclusive || known.autoDelete) return 'classic'
  const isClassic = (await refusalOf(epoch, withArguments(known, { 'x-queue-type': 'classic' }))) === null
  if (isClassic && !mustKnow) return 'classic'
  const isQuorum = (await refusalOf(epoch, withArguments(known, { 'x-queue-type': 'quorum' }))) === null
  return isQuorum ? 'quorum' : 'classic'
}

/**
 * Declares with each value that a refusal named, until there is no refusal any more. Each argument is named once at
 * most.
 * @returns the declaration that was accepted; null if none was
 */
async function learn(epoch: Epoch, spec: QueueSpec, refusal: string): Promise<Declaration | null> {
  const told = new Set<string>()
  let known: Declaration = spec
  for (let words: string | null = refusal; words !== null; words = await refusalOf(epoch, known)) {
    const [all, name, value, type]: readonly (string | undefined)[] = TELLING.exec(words) ?? []
    if (all === undefined || name === undefined || told.has(name)) return learnByTrying(epoch, known)
    told.add(name)
    known = corrected(known, name, value, type)
  }
  return known
}

async function learnByTrying(epoch: Epoch, known: Declaration): Promise<Declaration | null> {
  for (const args of USUAL) {
    const tried = withArguments(known, args)
    if ((await refusalOf(epoch, tried)) === null) return tried
  }
  return null
}

function corrected(known: Declaration, name: string, value: string | undefined, type: string | undefined): Declaration {
  if (name === 'durable') return { ...known, durable: value === 'true' }
  if (name === 'auto_delete') return { ...known, autoDelete: value === 'true' }
  const { [name]: ours, ...others } = known.arguments
  if (value === undefined) return { ...known, arguments: others }
  return withArguments(known, { [name]: replayed(value, type ?? typeof ours) })
}

/** @param type RabbitMQ's name of the type, or JavaScript's own name for the type of our value */
function replayed(text: string, type: string): unknown {
  if (type === 'bool' || type === 'boolean') return text === 'true'
  if (type === 'longstr' || type === 'string' || type === 'undefined') return text
  const number = Number(text)
  return Number.isNaN(number) ? text : number
}

function withArguments(known: Declaration, args: AmqpTable): Declaration {
  return { ...known, arguments: { ...known.arguments, ...args } }
}

/** @returns null when the broker accepts the declaration */
async function refusalOf(epoch: Epoch, declaration: Declaration): Promise<string | null> {
  try {
    await epoch.scratch((channel) => assertQueue(channel, declaration))
    return null
  } catch (thrown) {
    if (!isMismatch(thrown)) throw thrown
    return coerceError(thrown).message
  }
}
