import type { Channel } from 'amqplib'
import type { Broadcast, Listener } from '../../broker/session.js'
import { PIDBOX_EXCHANGE, PIDBOX_REPLY_EXCHANGE } from '../../protocol/control.js'
import type { Epoch } from '../epoch.js'
import { headersForAll } from '../headers.js'
import { isMismatch } from '../queueKind.js'
import { hear } from './hear.js'

const REPLY_QUEUE = { durable: false, exclusive: true, autoDelete: true, expires: 10_000, messageTtl: 300_000 }

/** Sends a message to the mailboxes of all workers. */
export async function broadcast(epoch: Epoch, message: Broadcast): Promise<void> {
  await declareExchange(epoch, PIDBOX_EXCHANGE, 'fanout')
  await epoch.scratch(async (channel) => publish(channel, message, false))
}

/**
 * Sends a message to all mailboxes. @returns whether there is any: a message without a receiver is returned by the
 * broker
 */
export async function isHeard(epoch: Epoch, message: Broadcast): Promise<boolean> {
  let heard = true
  await epoch.scratch(async (channel) => {
    await channel.assertExchange(PIDBOX_EXCHANGE, 'fanout', { durable: false })
    channel.once('return', () => {
      heard = false
    })
    publish(channel, message, true)
    // The broker answers in order: a returned message comes before this answer.
    await channel.checkExchange(PIDBOX_EXCHANGE)
  })
  return heard
}

/**
 * Sends a message to all mailboxes, and listens to the replies. Their queue is exclusive and deleted after the call.
 */
export async function ask(
  epoch: Epoch,
  replyKey: string,
  message: Broadcast,
  listener: Listener,
  until: () => Promise<void>,
): Promise<void> {
  await declareExchange(epoch, PIDBOX_EXCHANGE, 'fanout')
  await declareExchange(epoch, PIDBOX_REPLY_EXCHANGE, 'direct')
  await epoch.scratch(async (channel) => {
    const queue = `${replyKey}.${PIDBOX_REPLY_EXCHANGE}`
    await channel.assertQueue(queue, REPLY_QUEUE)
    await channel.bindQueue(queue, PIDBOX_REPLY_EXCHANGE, replyKey)
    await hear(epoch, channel, queue, listener)
    publish(channel, message, false)
    await until()
  })
}

/** An exchange that exists with other arguments, as newer versions of Celery may declare it, is used as it is. */
async function declareExchange(epoch: Epoch, name: string, type: string): Promise<void> {
  await epoch
    .scratch((channel) => channel.assertExchange(name, type, { durable: false }))
    .catch((thrown) => {
      if (!isMismatch(thrown)) throw thrown
    })
}

function publish(channel: Channel, { content, properties }: Broadcast, mandatory: boolean): void {
  const { headers, ...others } = properties
  channel.publish(PIDBOX_EXCHANGE, '', content, { ...others, mandatory, headers: headersForAll(headers ?? {}) })
}
