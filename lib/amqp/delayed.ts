import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { DELAY_LEVELS, DELIVERY_EXCHANGE, isDelayable, levelName } from '../protocol/delay.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Epoch } from './epoch.js'
import { isMismatch } from './queueKind.js'

export type DelayQueueType = 'classic' | 'quorum'

/**
 * The start of a 406 that means: the queue exists with other arguments. Any other 406 means that such a queue can't
 * exist.
 */
const EXISTS = /inequivalent arg/
/** RabbitMQ closes the whole connection over a queue of a type that is switched off. */
const SWITCHED_OFF = /the corresponding feature flag is disabled/

/**
 * Binds a queue to the delay queues, as `DelayQueues.bind` does, where it is of use without that, too: a refusal is
 * logged as a warning.
 * @throws the reason if the connection ends
 */
export async function bindIfAllowed(epoch: Epoch, queue: QueueSpec, log: Logger): Promise<void> {
  try {
    await bind(epoch, queue)
  } catch (thrown) {
    epoch.ended.throwIfAborted()
    log.warning(
      `Queue ${queue.name} is not bound to the delay queues and receives nothing from them: ${coerceError(thrown).message}`,
    )
  }
}

/**
 * Celery's delay queues: see `protocol/delay.ts`. They keep messages that are due much later, so that no worker has to
 * hold them unacknowledged. One object serves all epochs, since it must remember that the broker refused quorum queues.
 */
export class DelayQueues {
  private readonly declared = new WeakMap<Epoch, Promise<void>>()

  /** @param type of queues that don't exist yet: `broker_native_delayed_delivery_queue_type` */
  constructor(
    private type: DelayQueueType,
    private readonly log: Logger,
  ) {}

  /**
   * Declares the exchanges and queues as Celery does, once per epoch. Queues that exist with other arguments are used
   * as they are; a broker that can't have them as quorum queues gets classic ones. A warning is logged in both cases.
   * @throws the broker's error if it refuses (no permission), for the rest of the epoch; or if the connection ends
   */
  declare(epoch: Epoch): Promise<void> {
    let declaring = this.declared.get(epoch)
    if (!declaring) {
      declaring = this.declareAll(epoch)
      this.declared.set(epoch, declaring)
    }
    return declaring
  }

  /**
   * Binds a queue to the delay queues, under its routing key for Celery's messages and under its name for ours. The
   * delay queues need not exist yet.
   * @throws the broker's error
   */
  bind(epoch: Epoch, queue: QueueSpec): Promise<void> {
    return bind(epoch, queue)
  }

  /** Declares from the last level to the first, so that a level that can be published to already leads all the way. */
  private async declareAll(epoch: Epoch): Promise<void> {
    const levels = Array.from({ length: DELAY_LEVELS }, (_, level) => level)
    const asTheyAre: string[] = []
    for (const level of levels) if (!(await this.declareQueue(epoch, level))) asTheyAre.push(levelName(level))
    await epoch.scratch(async (channel) => {
      await channel.assertExchange(DELIVERY_EXCHANGE, 'topic', { durable: true })
      for (const level of levels) {
        const name = levelName(level)
        const above = DELAY_LEVELS - 1 - level
        await channel.assertExchange(name, 'topic', { durable: true })
        await channel.bindExchange(nextExchange(level), name, anyDigits(above, '0.#'))
        await channel.bindQueue(name, name, anyDigits(above, '1.#'))
      }
    })
    if (asTheyAre.length > 0) {
      this.log.warning(`Delay queues exist with other arguments and are used as they are: ${asTheyAre.join(', ')}`)
    }
  }

  /** @returns false if it exists with other arguments */
  private async declareQueue(epoch: Epoch, level: number): Promise<boolean> {
    const name = levelName(level)
    try {
      await epoch.scratch((channel) =>
        channel.assertQueue(name, { durable: true, arguments: queueArguments(level, this.type) }),
      )
      return true
    } catch (thrown) {
      const { message } = coerceError(thrown)
      if (epoch.ended.aborted) {
        const reason = coerceError(epoch.ended.reason)
        if (this.type === 'quorum' && SWITCHED_OFF.test(reason.message)) this.fallBack(reason.message)
        throw reason
      }
      if (!isMismatch(thrown)) throw thrown
      if (EXISTS.test(message)) {
        await epoch.scratch((channel) => channel.checkQueue(name))
        return false
      }
      if (this.type !== 'quorum') throw thrown
      this.fallBack(message)
      return this.declareQueue(epoch, level)
    }
  }

  private fallBack(refusal: string): void {
    this.type = 'classic'
    this.log.warning(`The broker refuses delay queues of type quorum; classic ones are used instead: ${refusal}`)
  }
}

async function bind(epoch: Epoch, queue: QueueSpec): Promise<void> {
  await epoch.scratch(async (channel) => {
    await channel.assertExchange(DELIVERY_EXCHANGE, 'topic', { durable: true })
    if (isDelayable(queue.name)) {
      // Not Celery's `#.name`, which also matches messages for `other.name`. The bare name is for Python's retries,
      // which strip the digits.
      await channel.bindQueue(queue.name, DELIVERY_EXCHANGE, anyDigits(DELAY_LEVELS, queue.name))
      await channel.bindQueue(queue.name, DELIVERY_EXCHANGE, queue.name)
    }
    const { exchange, routingKey } = queue
    // Celery publishes nothing to a direct exchange through the delay queues: it can't match the long key.
    if (exchange.name === '' || exchange.type === 'direct') return
    const pattern = routingKey.startsWith('#') ? routingKey : `#.${routingKey}`
    await channel.bindExchange(exchange.name, DELIVERY_EXCHANGE, pattern)
    await channel.bindQueue(queue.name, exchange.name, pattern)
  })
}

/** A pattern that matches any `count` digits before `rest`. */
function anyDigits(count: number, rest: string): string {
  return `${'*.'.repeat(count)}${rest}`
}

/** The exchange after this level, at once or after the time in the queue. */
function nextExchange(level: number): string {
  return level === 0 ? DELIVERY_EXCHANGE : levelName(level - 1)
}

function queueArguments(level: number, type: DelayQueueType): Record<string, unknown> {
  return {
    'x-queue-type': type,
    'x-overflow': 'reject-publish',
    'x-message-ttl': 2 ** level * 1000,
    'x-dead-letter-exchange': nextExchange(level),
    // Only with this strategy does RabbitMQ keep a message until the next level has it.
    ...(type === 'quorum' ? { 'x-dead-letter-strategy': 'at-least-once' } : {}),
  }
}
