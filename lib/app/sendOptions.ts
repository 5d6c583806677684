import type { PublishRetryPolicy } from '../broker/publishTries.js'
import { canCompress } from '../protocol/content/compression.js'
import { serializerFor, serializerNames } from '../protocol/content/serializers.js'
import {
  anyText,
  date,
  either,
  isNumber,
  limitFaults,
  offset,
  orNull,
  plainObject,
  positiveSeconds,
  seconds,
  shortText,
  text,
  toggle,
  whole,
} from './optionChecks.js'
import { type Check, given, type OptionTable, optionFaults } from './options.js'
import type { SendOptions } from './outlet.js'
import type { TaskOptions } from './taskOptions.js'

const link: Check = (value) =>
  (Array.isArray(value) ? value : [value]).every(isSignature)
    ? null
    : 'a signature, such as task.s(), or a list of those'

function isSignature(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'subtaskType' in value
}

/** The body of a task message is a list, which `raw` can't encode. */
export const serializer: Check = (value) => {
  const names = serializerNames().filter((name) => name !== 'raw')
  if (typeof value === 'string' && names.includes(serializerFor(value)?.name ?? '')) return null
  return `one of ${names.join(', ')}${value === 'pickle' ? ' (pickle could run any code)' : ''}`
}

export const compression: Check = (value) =>
  canCompress(value) ? null : 'one that can be written here: gzip, brotli, or zstd from Node 22.15 on'

const orderKey: Check = (value) => {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isKey = parts.length > 0 && parts.every((part) => typeof part === 'string' || isNumber(part))
  return isKey ? null : 'a string, a number, or a list of these'
}

const RETRY_POLICY: OptionTable & { readonly checks: Readonly<Record<keyof PublishRetryPolicy, Check>> } = {
  checks: { maxRetries: orNull(whole(0)), intervalStart: seconds, intervalStep: seconds, intervalMax: seconds },
  elsewhere: { retryErrors: 'a message is tried again after a lost connection only' },
}

const retryPolicy: Check = (value) => {
  const [fault] = optionFaults(value, RETRY_POLICY)
  return fault === undefined ? null : `{ maxRetries, intervalStart, intervalStep, intervalMax }, but ${fault}`
}

/** Options of `sendTask` and `applyAsync`. */
const SEND_OPTIONS: OptionTable & { readonly checks: Readonly<Record<keyof SendOptions, Check>> } = {
  checks: {
    taskId: shortText,
    queue: shortText,
    exchange: anyText,
    routingKey: anyText,
    countdown: offset,
    eta: date,
    expires: either(offset, date),
    priority: whole(0, 255),
    serializer,
    compression,
    headers: plainObject,
    orderKey,
    stamps: plainObject,
    timeLimit: positiveSeconds,
    softTimeLimit: positiveSeconds,
    shadow: text,
    replyTo: shortText,
    rootId: shortText,
    parentId: shortText,
    retry: toggle,
    retryPolicy,
    ignoreResult: toggle,
    link,
    linkError: link,
  },
  elsewhere: {
    id: 'write taskId',
    delay: 'write countdown, in seconds',
    stampedHeaders: 'write stamps: { name: value }',
    chain: 'write chain(task.s(...), next.s(...)), and send that',
    chord: 'write chord(header, body), and send that',
    groupId: 'write group([...]), and send that',
    retries: 'it belongs to the task: app.task(name, { maxRetries }, handler)',
    maxRetries: 'it belongs to the task: app.task(name, { maxRetries }, handler)',
    args: 'arguments stand before the options',
    kwargs: 'keyword arguments stand before the options',
    deliveryMode: 'messages are always persistent',
    addToParent: 'what a task sends is always its child',
  },
}

/** @throws TypeError that names everything that is wrong with the options of a call of the task `name` */
export function checkSendOptions(name: string, options: SendOptions): void {
  const faults = optionFaults(options, SEND_OPTIONS)
  if (faults.length === 0) faults.push(...limitFaults(options))
  if (faults.length > 0) throw new TypeError(`${name}: ${faults.join('; ')}`)
}

/**
 * The options of a call, merged over those of the task itself. If the call says where the message goes, the task's own
 * options for that are ignored.
 */
export function overTask(task: Readonly<TaskOptions>, call: SendOptions): SendOptions {
  const { compression, exchange, expires, ignoreResult, priority, queue, routingKey, serializer } = task
  const place = call.queue === undefined && call.exchange === undefined ? { exchange, queue, routingKey } : {}
  const limits = { timeLimit: task.timeLimit ?? undefined, softTimeLimit: task.softTimeLimit ?? undefined }
  const options = { ...place, ...limits, compression, expires, ignoreResult, priority, serializer, ...given(call) }
  return given(options) as SendOptions
}

/**
 * @throws TypeError if a call gives one time limit of the task `name` and it does not fit the other, which is the
 *   task's own
 */
export function checkLimits(name: string, own: Readonly<TaskOptions>, call: SendOptions): void {
  for (const [given, other] of [
    ['softTimeLimit', 'timeLimit'],
    ['timeLimit', 'softTimeLimit'],
  ] as const) {
    const [limit, kept] = [call[given], own[other]]
    if (limit === undefined || call[other] !== undefined || typeof kept !== 'number') continue
    if (limitFaults({ [given]: limit, [other]: kept }).length === 0) continue
    const bound = given === 'timeLimit' ? 'no less' : 'no more'
    throw new TypeError(
      `${name}: ${given} is ${limit}: expected ${bound} than the task's own ${other}, which is ${kept}`,
    )
  }
}
