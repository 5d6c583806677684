import { randomUUID } from 'node:crypto'
import type { Listener } from '../../broker/session.js'
import type { Logger } from '../../ports.js'
import { PIDBOX_EXCHANGE, PIDBOX_REPLY_EXCHANGE } from '../../protocol/control.js'
import type { Epoch } from '../epoch.js'
import { isReply } from '../replyCode.js'
import { hear } from './hear.js'

const QUEUE_OPTIONS = { durable: false, exclusive: true, autoDelete: true, expires: 10_000, messageTtl: 300_000 }

/** Opens a worker's pidbox. The queue is exclusive, so that brokers which refuse transient shared queues accept it. */
export async function hearMailbox(epoch: Epoch, nodename: string, listener: Listener, log: Logger): Promise<void> {
  const queue = await declare(epoch, nodename, log)
  const channel = await epoch.channel()
  await hear(epoch, channel, queue, listener)
}

/** @returns the name of the queue: a different one from Celery's if another connection owns that */
async function declare(epoch: Epoch, nodename: string, log: Logger): Promise<string> {
  await epoch.scratch(async (channel) => {
    await channel.assertExchange(PIDBOX_EXCHANGE, 'fanout', { durable: false })
    await channel.assertExchange(PIDBOX_REPLY_EXCHANGE, 'direct', { durable: false })
  })
  const name = `${nodename}.${PIDBOX_EXCHANGE}`
  const declareAs = (queue: string): Promise<void> =>
    epoch.scratch(async (channel) => {
      await channel.assertQueue(queue, QUEUE_OPTIONS)
      await channel.bindQueue(queue, PIDBOX_EXCHANGE, '')
    })
  try {
    await declareAs(name)
    return name
  } catch (thrown) {
    if (!isReply(thrown, 'RESOURCE_LOCKED', 'PRECONDITION_FAILED')) throw thrown
    // A worker of the same name, a killed one whose connection the broker still considers alive, or one that declares
    // the queue in another way.
    log.warning(
      `A node named ${nodename} is already using this process mailbox! Maybe you forgot to shutdown the other node or did not do so properly? Give each worker a name of its own with -n`,
    )
    const other = `${name}.${randomUUID()}`
    await declareAs(other)
    return other
  }
}
