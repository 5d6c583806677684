import type { BrokerPublisher } from '../broker/broker.js'
import { PublishState } from '../broker/publishState.js'
import { BrokerError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { MemoryServer } from './server.js'

/** Puts messages into queues of this process, at once. */
export class MemoryPublisher implements BrokerPublisher {
  readonly name = 'publisher'
  readonly state = new PublishState()
  /** Nothing ever waits. */
  readonly held = 0
  private stopped = false

  constructor(private readonly server: MemoryServer) {}

  async start(): Promise<void> {
    // Nothing to do: there is no connection to open.
  }

  async stop(): Promise<void> {
    this.stopped = true
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.throwIfStopped()
    const { exchange, mandatory, routingKey } = message
    if (this.server.publish(message) > 0 || !mandatory) return
    throw new BrokerError(`no queue takes messages for ${routingKey || '""'} of exchange ${exchange || '""'}`, {
      retriable: false,
    })
  }

  /** @throws BrokerError */
  throwIfStopped(): void {
    if (this.stopped) throw new BrokerError('the publisher was closed')
  }
}
