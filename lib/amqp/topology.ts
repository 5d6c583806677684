import type { Channel } from 'amqplib'
import { coerceError } from '../errors.js'
import type { AmqpTable, Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Epoch } from './epoch.js'

const PRECONDITION_FAILED = 406

/** What of a queue decides how it is consumed. */
export interface QueueKind {
  readonly type: 'classic' | 'quorum'
  /** `x-single-active-consumer`: the broker gives its messages to one consumer at a time. */
  readonly singleActive: boolean
}

/** RabbitMQ's 406 names the first argument in which the queue that is there differs from ours: these tell us what it is. */
const TELLING = /inequivalent arg '(x-queue-type|x-single-active-consumer)' .*current is the value '(quorum|true)'/

function isMismatch(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === PRECONDITION_FAILED
}

/**
 * Declares a queue with its exchange and binding, as Celery does. Idempotent. Where exchange or queue exist with other
 * arguments they are used as they are, with a warning: Python's worker ends there, but a mismatch is no reason to stand still.
 * @returns the queue's kind as far as it can be known: what was declared, or what the broker said in its refusals
 * @throws the broker's error when a queue can neither be declared nor found
 */
export async function declareQueue(epoch: Epoch, spec: QueueSpec, log: Logger): Promise<QueueKind> {
  const { exchange } = spec
  if (exchange.name !== '') {
    await declareOrFind(
      epoch,
      log,
      `exchange ${exchange.name}`,
      (channel) =>
        channel.assertExchange(exchange.name, exchange.type, {
          durable: exchange.durable,
          autoDelete: exchange.autoDelete,
        }),
      (channel) => channel.checkExchange(exchange.name),
    )
  }
  const refusal = await declareOrFind(
    epoch,
    log,
    `queue ${spec.name}`,
    (channel) => assertQueue(channel, spec),
    (channel) => channel.checkQueue(spec.name),
  )
  if (exchange.name !== '')
    await epoch.scratch((channel) => channel.bindQueue(spec.name, exchange.name, spec.routingKey))
  return refusal === null ? kindOf(spec.arguments) : kindOf(await learn(epoch, spec, refusal))
}

function kindOf(args: AmqpTable): QueueKind {
  return {
    type: args['x-queue-type'] === 'quorum' ? 'quorum' : 'classic',
    singleActive: args['x-single-active-consumer'] === true,
  }
}

function assertQueue(channel: Channel, spec: QueueSpec, args: AmqpTable = {}): Promise<unknown> {
  return channel.assertQueue(spec.name, {
    durable: spec.durable,
    exclusive: spec.exclusive,
    autoDelete: spec.autoDelete,
    arguments: { ...spec.arguments, ...args },
  })
}

/** Asks with each argument that a refusal told, until there is no refusal any more, or one that tells nothing. */
async function learn(epoch: Epoch, spec: QueueSpec, refusal: string): Promise<AmqpTable> {
  const args: Record<string, unknown> = {}
  for (let told: string | null = refusal; told !== null; ) {
    const [, name, value]: readonly string[] = TELLING.exec(told) ?? []
    if (name === undefined || name in args) break
    args[name] = value === 'true' ? true : value
    told = await epoch
      .scratch((channel) => assertQueue(channel, spec, args))
      .then(
        () => null,
        (thrown) => coerceError(thrown).message,
      )
  }
  return args
}

/** @returns null when declared, else what the broker had against it */
async function declareOrFind(
  epoch: Epoch,
  log: Logger,
  what: string,
  declare: (channel: Channel) => Promise<unknown>,
  find: (channel: Channel) => Promise<unknown>,
): Promise<string | null> {
  try {
    await epoch.scratch(declare)
    return null
  } catch (thrown) {
    if (!isMismatch(thrown)) throw thrown
    await epoch.scratch(find)
    const { message } = coerceError(thrown)
    log.warning(`The ${what} exists with other arguments and is used as it is: ${message}`)
    return message
  }
}
