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

/** A confirm channel whose broker answers when the spec says so. */
class WaitingChannel extends EventEmitter {
  private readonly written: Array<{
    message: { fields: { exchange: string; routingKey: string }; properties: object }
    done: (error: null) => void
  }> = []

  publish(exchange: string, routingKey: string, _: Buffer, properties: object, done: (error: null) => void): boolean {
    this.written.push({ message: { fields: { exchange, routingKey }, properties }, done })
    return true
  }

  /** Returns a message: they are counted from 0. */
  giveBack(which: number, routingKey = this.written[which]?.message.fields.routingKey): void {
    const { fields, properties } = this.written[which]?.message ?? {}
    this.emit('return', { fields: { ...fields, routingKey }, properties })
  }

  confirm(...which: readonly number[]): void {
    for (const at of which) this.written[at]?.done(null)
  }
}

async function lineOn(channel: EventEmitter): Promise<PublishLine> {
  const epoch: Partial<Record<keyof Epoch, unknown>> = { confirmChannel: async () => channel, gather: () => undefined }
  return await PublishLine.open(epoch as unknown as Epoch, () => undefined)
}

describe('a line of messages to the broker', () => {
  let channel: CongestedChannel
  let line: PublishLine

  beforeEach(async () => {
    channel = new CongestedChannel()
    line = await lineOn(channel)
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

  describe('with one id for several', () => {
    let waiting: WaitingChannel
    let sendings: Array<Promise<Sending>>
    const outcomes = async (): Promise<string[]> => (await Promise.all(sendings)).map(({ is }) => is)

    /** @param keys their routing keys */
    async function sendTo(...keys: readonly string[]): Promise<void> {
      waiting = new WaitingChannel()
      const to = await lineOn(waiting)
      const { properties, ...rest } = taskMessage('t')
      const message = { ...rest, properties: { ...properties, correlationId: 'same' }, exchange: '', mandatory: true }
      sendings = keys.map((routingKey) => to.send({ ...message, routingKey }))
      await new Promise((resolve) => setImmediate(resolve))
    }

    it('fails the one that no queue takes, also where an earlier one is confirmed after its return', async () => {
      await sendTo('q', 'nowhere', 'q')
      waiting.giveBack(1)
      // As RabbitMQ does by an ack of several: 0 had to wait for the disk.
      waiting.confirm(0, 1, 2)
      expect(await outcomes()).toEqual(['confirmed', 'impossible', 'confirmed'])
    })

    it('fails each that was returned', async () => {
      await sendTo('nowhere', 'nowhere', 'q')
      waiting.giveBack(0)
      waiting.giveBack(1)
      waiting.confirm(0, 1, 2)
      expect(await outcomes()).toEqual(['impossible', 'impossible', 'confirmed'])
    })

    it('fails one whose address can not be written as it is', async () => {
      await sendTo('\ud800')
      waiting.giveBack(0, '\ufffd')
      waiting.confirm(0)
      expect(await outcomes()).toEqual(['impossible'])
    })

    it('fails no later one of the same address, once there is a queue', async () => {
      await sendTo('new', 'new')
      waiting.giveBack(0)
      waiting.confirm(0, 1)
      expect(await outcomes()).toEqual(['impossible', 'confirmed'])
    })
  })
})
