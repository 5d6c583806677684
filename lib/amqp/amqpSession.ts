import type { FleetSession, Move, MoveOptions } from '../broker/fleetSession.js'
import type { Broadcast, Listener, Session } from '../broker/session.js'
import type { Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import { countUp } from './countUp.js'
import { bindIfAllowed } from './delayed.js'
import type { Epoch } from './epoch.js'
import { AmqpMove } from './move.js'
import { hearEvents } from './nodes/eventQueue.js'
import { hearGroup } from './nodes/groupQueue.js'
import { hearMailbox } from './nodes/mailboxQueue.js'
import { ask, broadcast, isHeard } from './nodes/pidbox.js'
import { argumentsOf } from './queueKind.js'
import { isReply } from './replyCode.js'
import { declareQueue } from './topology.js'

/** The part of an epoch that other rooms see. */
export class AmqpSession implements Session {
  readonly fleet: FleetSession = {
    hearGroup: (exchange, queue, listener) => hearGroup(this.epoch, exchange, queue, listener),
    argumentsOf: (queue) => argumentsOf(this.epoch, queue),
    countUp: (queue) => countUp(this.epoch, queue),
    remove: async (queue) => {
      await this.epoch.scratch((channel) => channel.deleteQueue(queue))
    },
    move: (options) => this.move(options),
  }

  constructor(
    readonly epoch: Epoch,
    private readonly log: Logger,
  ) {}

  get ended(): AbortSignal {
    return this.epoch.ended
  }

  get heartbeat(): number {
    return this.epoch.heartbeat
  }

  end(reason: unknown): void {
    this.epoch.end(reason)
  }

  async declare(queue: QueueSpec): Promise<void> {
    await declareQueue(this.epoch, queue, this.log)
  }

  async purge(queue: string): Promise<number> {
    try {
      const { messageCount } = await this.epoch.scratch((channel) => channel.purgeQueue(queue))
      return messageCount
    } catch (thrown) {
      if (isReply(thrown, 'NOT_FOUND')) return 0
      throw thrown
    }
  }

  hearEvents(routingKey: string, listener: Listener): Promise<void> {
    return hearEvents(this.epoch, routingKey, listener)
  }

  hearControl(nodename: string, listener: Listener): Promise<void> {
    return hearMailbox(this.epoch, nodename, listener, this.log)
  }

  broadcast(message: Broadcast): Promise<void> {
    return broadcast(this.epoch, message)
  }

  isHeard(message: Broadcast): Promise<boolean> {
    return isHeard(this.epoch, message)
  }

  ask(replyKey: string, message: Broadcast, listener: Listener, until: () => Promise<void>): Promise<void> {
    return ask(this.epoch, replyKey, message, listener, until)
  }

  private async move(options: MoveOptions): Promise<Move> {
    const move = await AmqpMove.open(this.epoch, options, this.log)
    // What is due much later comes back to this queue, whichever of the others it was in.
    await bindIfAllowed(this.epoch, options.from, this.log)
    return move
  }
}
