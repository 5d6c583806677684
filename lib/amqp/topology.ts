import type { Channel } from 'amqplib'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Epoch } from './epoch.js'

const PRECONDITION_FAILED = 406

/** What RabbitMQ says in its 406 when the queue that is there is a quorum queue and ours was not meant to be one. */
const IS_QUORUM = /inequivalent arg 'x-queue-type' .*(?:current is|but current is) the value 'quorum'/

function isMismatch(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === PRECONDITION_FAILED
}

/**
 * Declares a queue with its exchange and binding, as Celery does. Idempotent. Where exchange or queue exist with other
 * arguments they are used as they are, with a warning: Python's worker ends there, but a mismatch is no reason to stand still.
 * @returns the queue's type as far as it can be known: what was declared, or what the broker said in its refusal
 * @throws the broker's error when a queue can neither be declared nor found
 */
export async function declareQueue(epoch: Epoch, spec: QueueSpec, log: Logger): Promise<'classic' | 'quorum'> {
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
    (channel) =>
      channel.assertQueue(spec.name, {
        durable: spec.durable,
        exclusive: spec.exclusive,
        autoDelete: spec.autoDelete,
        arguments: { ...spec.arguments },
      }),
    (channel) => channel.checkQueue(spec.name),
  )
  if (exchange.name !== '')
    await epoch.scratch((channel) => channel.bindQueue(spec.name, exchange.name, spec.routingKey))
  if (refusal !== null) return IS_QUORUM.test(refusal) ? 'quorum' : 'classic'
  return spec.arguments['x-queue-type'] === 'quorum' ? 'quorum' : 'classic'
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
