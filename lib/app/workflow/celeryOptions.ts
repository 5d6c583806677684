import type { PublishRetryPolicy } from '../../broker/publishTries.js'
import type { CanvasMessage } from '../../canvas/canvasMessage.js'
import type { SignatureOptions } from '../../canvas/signature.js'
import { headersWithKey } from '../orderKey.js'
import type { SendOptions } from '../outlet.js'

/** The names of our options in Celery's `apply_async`. */
const NAMES: Readonly<Record<Exclude<keyof SendOptions, 'orderKey' | 'stamps'>, string>> = {
  taskId: 'task_id',
  queue: 'queue',
  exchange: 'exchange',
  routingKey: 'routing_key',
  countdown: 'countdown',
  eta: 'eta',
  expires: 'expires',
  priority: 'priority',
  serializer: 'serializer',
  compression: 'compression',
  headers: 'headers',
  timeLimit: 'time_limit',
  softTimeLimit: 'soft_time_limit',
  shadow: 'shadow',
  replyTo: 'reply_to',
  rootId: 'root_id',
  parentId: 'parent_id',
  ignoreResult: 'ignore_result',
  retry: 'retry',
  retryPolicy: 'retry_policy',
  link: 'link',
  linkError: 'link_error',
}
/** Options that have the same name in a canvas's message. */
const SAME = [
  ...(['compression', 'countdown', 'eta', 'exchange', 'expires', 'headers', 'ignoreResult', 'parentId'] as const),
  ...(['priority', 'queue', 'replyTo', 'retry', 'rootId', 'routingKey', 'serializer'] as const),
]
/** Celery's names for the fields of a retry policy. */
const POLICY_NAMES: Readonly<Record<keyof PublishRetryPolicy, string>> = {
  maxRetries: 'max_retries',
  intervalStart: 'interval_start',
  intervalStep: 'interval_step',
  intervalMax: 'interval_max',
}
const RESERVED: ReadonlySet<string> = new Set([
  ...Object.values(NAMES),
  ...['chain', 'chord', 'group_id', 'group_index', 'retries', 'replaced_task_nesting', 'stamped_headers'],
])

/**
 * Our options in the form of a signature: by Celery's names, times as texts, stamps beside the others.
 * @throws TypeError for a stamp that has the name of an option
 */
export function celeryOptions(options: SendOptions): SignatureOptions {
  const { orderKey, retryPolicy, stamps, ...others } = options
  const written: SignatureOptions = {}
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) written[NAMES[name as keyof typeof others]] = writtenValue(value)
  }
  if (orderKey !== undefined) written[NAMES.headers] = headersWithKey(others.headers ?? {}, orderKey)
  if (retryPolicy !== undefined) written[NAMES.retryPolicy] = inWords(retryPolicy)
  return stamps === undefined ? written : { ...written, ...stampOptions(stamps) }
}

/** @throws TypeError for a stamp that has the name of an option */
export function stampOptions(stamps: Readonly<Record<string, unknown>>): SignatureOptions {
  const names = Object.keys(stamps)
  const taken = names.find((name) => RESERVED.has(name))
  if (taken !== undefined) throw new TypeError(`stamps: ${taken} is the name of an option of Celery's; take another`)
  return { ...stamps, stamped_headers: names }
}

/** The options of a canvas's message, by our names. Options that it does not have are absent. */
export function optionsOf(message: CanvasMessage): SendOptions {
  const options: { -readonly [Name in keyof SendOptions]: SendOptions[Name] } = { taskId: message.id }
  const put = <Name extends keyof SendOptions>(name: Name, value: SendOptions[Name] | null): void => {
    if (value !== undefined && value !== null) options[name] = value
  }
  // One by one: this is done for each member of a group, and lists of entries cost ten times as much.
  for (const name of SAME) put(name, message[name])
  const [timeLimit, softTimeLimit] = message.canvas.timelimit
  put('timeLimit', timeLimit)
  put('softTimeLimit', softTimeLimit)
  put('retryPolicy', fromWords(message.retryPolicy))
  return options
}

function writtenValue(value: unknown): unknown {
  // Dates of another realm are accepted too: test runners have one.
  if (Object.prototype.toString.call(value) === '[object Date]')
    return (value as Date).toISOString().replace('Z', '+00:00')
  if (isSignature(value)) return [value.toJSON()]
  return Array.isArray(value) ? value.map((each) => (isSignature(each) ? each.toJSON() : each)) : value
}

function isSignature(value: unknown): value is { toJSON(): unknown } {
  return typeof value === 'object' && value !== null && 'subtaskType' in value && 'toJSON' in value
}

/** A retry policy by Celery's names, as in a signature. */
function inWords(policy: Partial<PublishRetryPolicy>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(policy).map(([name, value]) => [POLICY_NAMES[name as keyof typeof POLICY_NAMES], value]),
  )
}

/** The known fields of a retry policy that has Celery's names. The signature of a message may have anything there. */
function fromWords(words: unknown): Partial<PublishRetryPolicy> | undefined {
  if (typeof words !== 'object' || words === null) return undefined
  const known = Object.entries(POLICY_NAMES).map(
    ([name, word]) => [name, (words as Record<string, unknown>)[word]] as const,
  )
  return Object.fromEntries(
    known.filter(
      ([name, value]) => (typeof value === 'number' && value >= 0) || (value === null && name === 'maxRetries'),
    ),
  )
}
