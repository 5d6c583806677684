import { describe, expect, it } from '@jest/globals'
import type { ConsumeMessage } from 'amqplib'
import { AmqpDelivery, type DeliveryChannel } from '../../../lib/amqp/window/delivery.js'

describe('a delivery that waits', () => {
  const delivery = (content: Buffer): AmqpDelivery =>
    new AmqpDelivery(1, 'q', { content, fields: {} } as ConsumeMessage, {} as DeliveryChannel)

  it('holds no more than its own content of what was read from the connection', () => {
    const read = Buffer.alloc(65_536, 'x')
    const small = delivery(read.subarray(100, 200))
    small.detach()
    expect(small.content).toEqual(Buffer.alloc(100, 'x'))
    expect(small.content.buffer).not.toBe(read.buffer)
    const large = delivery(read.subarray(100))
    large.detach()
    expect(large.content.buffer).toBe(read.buffer)
  })
})
