import type { Channel } from 'amqplib'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Epoch } from './epoch.js'
import { assertQueue, isMismatch, kindOf, type QueueKind } from './queueKind.js'
import { isReply } from './replyCode.js'

/**
 * Declares a queue with its exchange and binding, as Celery does. Idempotent. An exchange or queue that exists with
 * other arguments is used as it is, with a warning: Python's worker exits in that case, but a mismatch is no reason to
 * stop.
 * @param mustKnow see `kindOf`
 * @returns the queue's kind
 * @throws the broker's error when a queue can neither be declared nor found; if both are refused, the error of the
 *   declaration
 */
export async function declareQueue(epoch: Epoch, spec: QueueSpec, log: Logger, mustKnow = true): Promise<QueueKind> {
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
  return kindOf(epoch, spec, refusal, { log, mustKnow })
}

/** @returns null when declared, else the broker's error */
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
    await epoch.scratch(find).catch((missing: unknown) => {
      // Nothing of that name exists: the declaration's error is the one to report.
      throw isReply(missing, 'NOT_FOUND') ? thrown : missing
    })
    const { message } = coerceError(thrown)
    log.warning(`The ${what} exists with other arguments and is used as it is: ${message}`)
    return message
  }
}
