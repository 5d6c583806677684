import type { Channel, ConsumeMessage } from 'amqplib'
import type { AckChannel } from '../acks.js'
import type { Epoch } from '../epoch.js'
import type { Settlement } from './delivery.js'
import { SettledTags } from './settledTags.js'

/** Writes the settlements of one channel: acknowledgements together, with whatever else of the connection is gathered. */
export class Settlements implements AckChannel {
  private readonly settled = new SettledTags()

  constructor(
    private readonly epoch: Epoch,
    /** The channel, as long as it can be used. */
    private readonly open: () => Channel | null,
  ) {}

  write(settlement: Settlement, tag: number): void {
    const { acks } = this.epoch
    this.epoch.gather()
    if (settlement === 'ack') {
      acks.add(this, tag)
      return
    }
    acks.write()
    this.settled.add(tag)
    this.send((channel) => {
      if (settlement === 'reject') channel.reject(tagged(tag), false)
      else channel.nack(tagged(tag), false, true)
    })
  }

  writeAcks(tags: readonly number[]): void {
    const { settled } = this
    for (const tag of tags) settled.add(tag)
    // What is left of all that came before the first unsettled message: one frame acknowledges it.
    const first = tags.filter((tag) => settled.coversAllUpTo(tag))
    this.send((channel) => {
      if (first.length > 0) channel.ack(tagged(first.reduce(later)), first.length > 1)
      for (const tag of tags) if (!settled.coversAllUpTo(tag)) channel.ack(tagged(tag))
    })
  }

  private send(write: (channel: Channel) => void): void {
    const channel = this.open()
    if (channel === null) return
    try {
      write(channel)
    } catch (thrown) {
      // The channel closed during the call, before its event arrived.
      this.epoch.end(thrown)
    }
  }
}

function later(one: number, other: number): number {
  return Math.max(one, other)
}

/** What amqplib reads of a message that it settles. */
function tagged(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage
}
