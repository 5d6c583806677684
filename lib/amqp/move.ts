import { setTimeout as pause } from 'node:timers/promises'
import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib'
import type { Move, MoveOptions } from '../broker/fleetSession.js'
import { QueueRefused } from '../broker/intake.js'
import { BrokerError, coerceError } from '../errors.js'
import { deferred } from '../listeners.js'
import type { Logger } from '../ports.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import { headersToResend } from '../protocol/delay.js'
import type { QueueSpec } from '../settings/queues.js'
import { closeChannel } from './closeChannel.js'
import type { Epoch } from './epoch.js'
import { headersForAll } from './headers.js'
import { assertQueue } from './queueKind.js'
import { refusalOf } from './refusal.js'
import { declareQueue } from './topology.js'

/** How long the broker may take to confirm what is under way when the move is stopped. */
const STOP_MS = 2000

/** A message that was taken and is not acknowledged yet. */
interface Taken {
  readonly message: ConsumeMessage
  readonly to: string
  readonly key: string | null
  isMoved: boolean
}

/**
 * Moves messages through one channel, on which it both consumes and publishes: once the channel is gone, none of its messages can arrive
 * behind those of the next mover. One message of a key is under way at a time, so that none is overtaken by its successor when the broker
 * refuses it; messages of different keys don't wait for each other. Acknowledgements follow the order of the queue.
 */
export class AmqpMove implements Move {
  readonly ended: Promise<Error | null>
  private readonly end: (reason: Error | null) => void
  private readonly taken: Taken[] = []
  /** The message under way and those that wait for it, by key. */
  private readonly byKey = new Map<string, Taken[]>()
  private underWay = 0
  private isStopping = false
  /** Messages that arrived while nothing may be moved. */
  private readonly kept: ConsumeMessage[] = []
  private beginning: Promise<void> | null = null
  private hasBegun = false
  private isPaused = false
  private isOver = false
  /** Callers that wait until nothing is under way. */
  private readonly waiting: (() => void)[] = []

  private constructor(
    private readonly channel: ConfirmChannel,
    private readonly epoch: Epoch,
    private readonly options: MoveOptions,
  ) {
    const { promise, resolve } = deferred<Error | null>()
    this.ended = promise
    this.end = resolve
    // Sent by the broker just before the confirm.
    channel.on('return', ({ fields }) => this.fail(new BrokerError(`there is no queue ${fields.routingKey}`)))
    channel.on('close', () => this.over(new BrokerError('the channel was closed')))
  }

  /** @throws QueueRefused while the queue has another consumer, or if it is a quorum queue that lets in any number of them */
  static async open(epoch: Epoch, options: MoveOptions, log: Logger): Promise<AmqpMove> {
    const { name } = options.from
    const { singleActive, type } = await declareQueue(epoch, options.from, log)
    // A quorum queue ignores `exclusive`, and a single active queue refuses it.
    if (type === 'quorum' && !singleActive) throw new QueueRefused(shared(name), true)
    let move: AmqpMove | null = null
    const channel = await epoch.confirmChannel((error) => move?.over(error))
    const opened = new AmqpMove(channel, epoch, options)
    move = opened
    try {
      await channel.prefetch(options.inFlight)
      await channel.consume(name, (message) => opened.receive(message), { exclusive: !singleActive })
    } catch (thrown) {
      throw refusalOf(thrown, epoch) ?? thrown
    }
    return opened
  }

  async pause(): Promise<void> {
    this.isPaused = true
    if (this.underWay > 0 && !this.isOver) {
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  resume(): void {
    this.isPaused = false
    this.flow()
  }

  async replace(queue: QueueSpec): Promise<void> {
    // On this channel, so that the broker does neither once the channel has lost the queue that is moved from.
    await this.channel.deleteQueue(queue.name)
    await assertQueue(this.channel, queue)
  }

  async stop(): Promise<void> {
    this.isStopping = true
    if (this.underWay > 0 && !this.isOver) {
      await atMost(STOP_MS, new Promise<void>((resolve) => this.waiting.push(resolve)))
    }
    await this.close(null)
  }

  private receive(message: ConsumeMessage | null): void {
    if (message === null) {
      this.fail(new BrokerError(`the broker cancelled the consumer of ${this.options.from.name}`))
      return
    }
    if (this.isOver || this.isStopping) return
    this.kept.push(message)
    this.beginning ??= this.begin()
    this.flow()
  }

  private flow(): void {
    if (!this.hasBegun || this.isPaused) return
    for (const message of this.kept.splice(0)) this.take(message)
  }

  private async begin(): Promise<void> {
    try {
      await this.options.begin()
      this.hasBegun = true
      this.flow()
    } catch (thrown) {
      this.fail(coerceError(thrown))
    }
  }

  private take(message: ConsumeMessage): void {
    if (this.isOver || this.isStopping) return
    const properties: AmqpProperties = message.properties
    const { exchange, routingKey } = message.fields
    const { destinationOf, from, onUnreadable } = this.options
    if (properties.unreadable) {
      onUnreadable(properties.unreadable)
      this.channel.reject(message, false)
      return
    }
    const { key, queue: to } = destinationOf({
      queue: from.name,
      exchange,
      routingKey,
      properties,
      content: message.content,
    })
    const taken: Taken = { message, to, key, isMoved: false }
    this.taken.push(taken)
    const line = key === null ? undefined : this.byKey.get(key)
    if (line) {
      line.push(taken)
      return
    }
    if (key !== null) this.byKey.set(key, [taken])
    this.send(taken)
  }

  private send(taken: Taken): void {
    const { message, to } = taken
    this.underWay++
    this.epoch.gather()
    try {
      this.channel.publish('', to, message.content, propertiesOf(message), (refused) => {
        this.underWay--
        if (refused) this.fail(new BrokerError(`the broker refused a message for ${to}`, { cause: refused }))
        else this.moved(taken)
      })
    } catch (thrown) {
      this.fail(coerceError(thrown))
    }
  }

  private moved(taken: Taken): void {
    if (this.isOver) return
    taken.isMoved = true
    this.next(taken.key)
    let last: ConsumeMessage | null = null
    let count = 0
    for (; this.taken[count]?.isMoved; count++) last = this.taken[count]?.message ?? null
    if (last) {
      this.taken.splice(0, count)
      this.epoch.gather()
      this.channel.ack(last, true)
      this.options.onMoved(count)
    }
    if (this.underWay === 0) this.idle()
  }

  private next(key: string | null): void {
    if (key === null) return
    const line = this.byKey.get(key)
    line?.shift()
    const [following] = line ?? []
    if (!following) this.byKey.delete(key)
    else if (!this.isStopping) this.send(following)
  }

  private idle(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private fail(error: Error): void {
    if (!this.isOver) void this.close(error)
  }

  private async close(reason: Error | null): Promise<void> {
    const wasOver = this.isOver
    this.isOver = true
    if (!wasOver) await closeChannel(this.channel).catch(() => undefined)
    this.idle()
    this.end(reason)
  }

  private over(error: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.idle()
    this.end(error)
  }
}

/** Waits for a promise that may fail, but no longer than `ms`. */
async function atMost(ms: number, wait: Promise<void>): Promise<void> {
  const limit = new AbortController()
  await Promise.race([
    wait.catch(() => undefined),
    pause(ms, undefined, { signal: limit.signal }).catch(() => undefined),
  ])
  limit.abort()
}

function shared(queue: string): string {
  return `${queue} is a quorum queue without x-single-active-consumer, so that others could take its messages out of order: make a new one that has it, or a classic queue`
}

/** The message's properties, except those of its transport. Named one by one: a user_id that isn't ours would be refused. */
function propertiesOf({ properties }: ConsumeMessage): Options.Publish {
  const { contentEncoding, contentType, correlationId, deliveryMode, expiration, headers } =
    properties as AmqpProperties
  const { appId, messageId, priority, replyTo, timestamp, type } = properties as AmqpProperties
  const resent = headersForAll(headersToResend(headers ?? {}))
  const known = { contentType, contentEncoding, correlationId, deliveryMode, expiration, priority, replyTo }
  return { ...known, messageId, timestamp, type, appId, headers: resent, mandatory: true } as Options.Publish
}
