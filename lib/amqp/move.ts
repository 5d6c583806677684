import type { ConfirmChannel, ConsumeMessage, Message } from 'amqplib'
import type { Move, MoveOptions } from '../broker/fleetSession.js'
import { QueueRefused } from '../broker/intake.js'
import { BrokerError, coerceError } from '../errors.js'
import { deferred } from '../listeners.js'
import type { Logger } from '../ports.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import { atMost } from './atMost.js'
import { closeChannel } from './closeChannel.js'
import type { Epoch } from './epoch.js'
import { movedProperties } from './movedProperties.js'
import { assertQueue } from './queueKind.js'
import { refusalOf, streamRefused } from './refusal.js'
import { type Taken, TakenMessages } from './taken.js'
import { declareQueue } from './topology.js'

/** How long the broker may take to confirm what is under way when the move is stopped. */
const STOP_MS = 2000

/**
 * Moves messages through one channel, on which it both consumes and publishes: once the channel is gone, none of its messages can arrive
 * behind those of the next mover. One message of a key is under way at a time, so that none is overtaken by its successor when the broker
 * refuses it; messages of different keys don't wait for each other. Acknowledgements follow the order of the queue; at the end whatever
 * is in its lane is acknowledged, so that the next mover doesn't send it once more.
 */
export class AmqpMove implements Move {
  readonly ended: Promise<Error | null>
  private readonly end: (reason: Error | null) => void
  private readonly taken = new TakenMessages()
  private underWay = 0
  private isStopping = false
  /** Set from when nothing more is sent. */
  private finishing: Promise<void> | null = null
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
    channel.on('return', (message) => this.returned(message))
    // Before amqplib's own listener, which fails what is under way as if it were refused.
    channel.prependListener('close', () => this.over(new BrokerError('the channel was closed')))
  }

  /** @throws QueueRefused while the queue has another consumer, or if it is a quorum queue that lets in any number of them */
  static async open(epoch: Epoch, options: MoveOptions, log: Logger): Promise<AmqpMove> {
    const { name } = options.from
    const { singleActive, type } = await declareQueue(epoch, options.from, log)
    if (type === 'stream') throw streamRefused(name)
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

  stop(): Promise<void> {
    this.finishing ??= this.finish(null)
    return this.finishing
  }

  private receive(message: ConsumeMessage | null): void {
    if (message === null) {
      // Somebody else may have the messages already: nothing of ours may come behind theirs.
      void this.close(new BrokerError(`the broker cancelled the consumer of ${this.options.from.name}`))
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
    const taken: Taken = { message, to, key, is: 'here' }
    if (this.taken.add(taken)) this.send(taken)
  }

  private send(taken: Taken): void {
    const { message, to } = taken
    this.epoch.gather()
    try {
      this.channel.publish('', to, message.content, movedProperties(message), (refused) => {
        this.underWay--
        if (refused) this.fail(new BrokerError(`the broker refused a message for ${to}`, { cause: refused }))
        else this.moved(taken)
        if (this.underWay === 0) this.idle()
      })
      this.underWay++
    } catch (thrown) {
      this.unsent(taken, coerceError(thrown))
    }
  }

  /** The next try would end alike, and hold up all that is behind it: a message that can't be written is rejected. */
  private unsent(taken: Taken, error: Error): void {
    if (this.isOver || error.name === 'IllegalOperationError') {
      this.fail(error)
      return
    }
    this.options.onUnreadable(error)
    this.taken.remove(taken)
    this.channel.reject(taken.message, false)
    this.next(taken)
  }

  /** Called just before the confirm of a message that no queue takes. */
  private returned(message: Message): void {
    const error = new BrokerError(`there is no queue ${message.fields.routingKey}`)
    if (this.taken.markReturned(message)) this.fail(error)
    // Without knowing which it is, none of those under way may be acknowledged.
    else void this.close(error)
  }

  private moved(taken: Taken): void {
    if (this.isOver || taken.is === 'returned') return
    taken.is = 'moved'
    this.next(taken)
    const first = this.taken.removeFirstMoved()
    const last = first.at(-1)
    if (!last) return
    this.epoch.gather()
    this.channel.ack(last.message, true)
    this.options.onMoved(first.length)
  }

  private next(taken: Taken): void {
    const following = this.taken.next(taken)
    if (following && !this.isStopping) this.send(following)
  }

  private idle(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private fail(error: Error): void {
    if (!this.isOver) this.finishing ??= this.finish(error)
  }

  /** Sends nothing more, and ends once the broker has answered for what is under way. */
  private async finish(reason: Error | null): Promise<void> {
    this.isStopping = true
    if (this.underWay > 0 && !this.isOver) {
      await atMost(STOP_MS, new Promise<void>((resolve) => this.waiting.push(resolve)))
    }
    await this.close(reason)
  }

  private async close(reason: Error | null): Promise<void> {
    const wasOver = this.isOver
    this.isOver = true
    if (!wasOver) {
      this.acknowledge()
      await closeChannel(this.channel).catch(() => undefined)
    }
    this.idle()
    this.end(reason)
  }

  /** What is in its lane behind one that isn't would be sent once more, behind its successors. */
  private acknowledge(): void {
    const { moved } = this.taken
    try {
      for (const { message } of moved) this.channel.ack(message)
      this.options.onMoved(moved.length)
    } catch {
      // The channel has closed meanwhile.
    }
  }

  private over(error: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.idle()
    this.end(error)
  }
}

function shared(queue: string): string {
  return `${queue} is a quorum queue without x-single-active-consumer, so that others could take its messages out of order: make a new one that has it, or a classic queue`
}
