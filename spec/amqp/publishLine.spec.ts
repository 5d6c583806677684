import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { PublishLine, type Sending } from '../../lib/amqp/publishLine.js'
import { taskMessage } from '../support/message.js'

/** A confirm channel whose socket never has room, and which confirms each message at once. */
class CongestedChannel extends EventEmitter {
  written = 0

  publish(_exchange: string, _key: string, _content: Buffer, _options: object, done: (error: null) => void): boolean {
    this.written++
    done(null)
    return false
  }

  /** Listeners of each event. */
  get listening(): Record<string, number> {
    return Object.fromEntries(this.eventNames().map((name) => [name, this.listenerCount(name)]))
  }
}

describe('a line of messages to the broker', () => {
  let channel: CongestedChannel
  let line: PublishLine

  beforeEach(async () => {
    channel = new CongestedChannel()
    const epoch: Partial<Record<keyof Epoch, unknown>> = {
      confirmChannel: async () => channel,
      gather: () => undefined,
    }
    line = await PublishLine.open(epoch as unknown as Epoch, () => undefined)
  })

  const send = (): Promise<Sending> => line.send({ ...taskMessage('t'), exchange: '', routingKey: 'q' })

  it.each(['drain', 'close'])('waits while the socket is full, and goes on after %s', async (event) => {
    const sendings = [send(), send(), send()]
    for (let at = 1; at <= 3; at++) {
      expect(channel.written).toBe(at)
      channel.emit(event)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await Promise.all(sendings)).toEqual(Array(3).fill({ is: 'confirmed' }))
  })

  it('listens no more often on its channel however often the socket is full', async () => {
    const before = channel.listening
    for (let at = 0; at < 20; at++) {
      await send()
      channel.emit('drain')
    }
    expect(channel.listening).toEqual(before)
  })
})
