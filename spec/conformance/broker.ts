import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Broker, BrokerOptions } from '../../lib/broker/broker.js'
import { randomQueue } from '../support/randomName.js'
import { waitFor } from '../support/waitFor.js'
import { describeNodes } from './brokerNodes.js'
import { BrokerUser, messageTo, numbered } from './brokerUser.js'

export interface BrokerCase {
  readonly name: string
  /** `broker_url`, of a broker that nobody else uses; asked for in each test. */
  url(): string
  create(options: BrokerOptions): Broker
  /** Called before each test. */
  before?(): void
}

/** What every broker has to do. `lib/README.md` says how to add one. */
export function describeBroker(broker: BrokerCase): void {
  describe(`the broker ${broker.name}`, () => {
    let users: BrokerUser[]
    let user: BrokerUser
    let queue: string
    const join = (): BrokerUser => {
      const joined = new BrokerUser(broker.url(), broker.create, `${randomQueue()}@spec`)
      users.push(joined)
      return joined
    }

    beforeEach(() => {
      broker.before?.()
      users = []
      user = join()
      queue = randomQueue()
    })

    afterEach(async () => {
      for (const one of users) await one.stop()
    })

    describe('sends', () => {
      it('a message that is in its queue once it is confirmed', async () => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, ['one'])
        await user.take([user.queue(queue)])
        expect(await user.depth(queue)).toBe(1)
        expect(user.broker.publisher).toMatchObject({ held: 0, state: { state: 'closed' } })
      })

      it('every property and header as it is', async () => {
        await user.broker.declare(user.queue(queue))
        const properties = {
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          correlationId: 'c1',
          replyTo: 'r1',
          deliveryMode: 2,
          priority: 0,
          headers: {
            id: 'i',
            retries: 0,
            big: 2 ** 40,
            half: 0.5,
            yes: true,
            none: null,
            list: [1, ['a']],
            table: { a: 1 },
          },
        }
        await user.send(queue, ['naïve ☂'], properties)
        user.capacity.set(queue, 1)
        await user.take([user.queue(queue)])
        const [delivery] = await user.arrived(1)
        expect(delivery?.properties).toMatchObject(properties)
        expect(user.texts).toEqual(['naïve ☂'])
        expect(delivery).toMatchObject({ queue, exchange: '', routingKey: queue, redelivered: false, live: true })
      })

      it('nothing for good to where nobody takes it', async () => {
        const lost = user.broker.publisher.publish(messageTo(queue, 'lost'))
        await expect(lost).rejects.toMatchObject({ code: 'CELERIAC_BROKER', retriable: false })
        const elsewhere = { ...messageTo(queue, 'lost'), exchange: queue }
        await expect(user.broker.publisher.publish(elsewhere)).rejects.toMatchObject({ retriable: false })
        // Nobody minds about one that may be lost.
        await user.broker.publisher.publish({ ...messageTo(queue, 'lost'), mandatory: false })
        await user.broker.declare(user.queue(queue))
        await user.send(queue, ['goes on'])
      })

      it('nothing once it is stopped', async () => {
        await user.broker.declare(user.queue(queue))
        await user.stop()
        await expect(user.send(queue, ['late'])).rejects.toMatchObject({ code: 'CELERIAC_BROKER' })
      })

      it.each([
        ['direct', 'a.b', ['a.b'], ['a', 'a.b.c']],
        ['topic', 'a.*', ['a.b'], ['a', 'a.b.c', 'b.a']],
        ['topic', 'a.#', ['a', 'a.b', 'a.b.c'], ['b', 'b.a']],
        ['topic', '#.c', ['c', 'a.b.c'], ['c.a']],
        ['fanout', 'x', ['x', 'y', ''], []],
      ])('through a %s exchange by %s', async (type, routingKey, taken, others) => {
        const exchange = { name: `x.${queue}`, type, durable: true, autoDelete: false }
        const second = randomQueue()
        for (const name of [queue, second]) await user.broker.declare(user.queue(name, { exchange, routingKey }))
        for (const key of [...taken, ...others]) {
          await user.broker.publisher.publish({ ...messageTo(key, key), exchange: exchange.name, mandatory: false })
        }
        user.capacity = new Map([[queue, 9]])
        await user.take([user.queue(queue), user.queue(second)])
        await user.arrived(taken.length)
        expect(user.texts).toEqual(taken)
        expect(await user.depth(second)).toBe(taken.length)
      })

      it('what is urgent first, where the queue has priorities', async () => {
        const spec = user.queue(queue, { arguments: { 'x-max-priority': 9 } })
        await user.broker.declare(spec)
        for (const [text, priority] of [
          ['a', 0],
          ['b', 5],
          ['c', 9],
          ['d', 5],
        ] as const)
          await user.send(queue, [text], { priority })
        user.capacity.set(queue, 4)
        await user.take([spec])
        await user.arrived(4)
        expect(user.texts).toEqual(['c', 'b', 'd', 'a'])
      })

      it('nothing that is past its time', async () => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, ['late'], { expiration: '20' })
        await user.take([user.queue(queue)])
        await waitFor(async () => (await user.depth(queue)) === 0, { what: 'the message to expire' })
        await user.send(queue, ['in time'], { expiration: '600000' })
        user.window.resize(new Map([[queue, 2]]))
        await user.arrived(1)
        expect(user.texts).toEqual(['in time'])
      })

      it('later what is postponed, and not before', async () => {
        const since = performance.now()
        await user.broker.declare(user.queue(queue))
        const postponed = await user.broker.postpone(messageTo(queue, 'later'), queue, 1000, {
          bindTo: user.queue(queue),
        })
        expect(postponed).toBe(true)
        await user.send(queue, ['now'])
        user.capacity.set(queue, 2)
        await user.take([user.queue(queue)])
        await user.arrived(2)
        expect(user.texts).toEqual(['now', 'later'])
        expect(performance.now() - since).toBeGreaterThan(990)
      })
    })

    describe('gives', () => {
      const filled = async (count: number, slots: number, others: readonly string[] = []): Promise<void> => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, numbered(count))
        user.capacity.set(queue, slots)
        await user.take([queue, ...others].map((name) => user.queue(name)))
      }

      it('the messages of a queue in its order, each with a higher number', async () => {
        user.onDelivery = (delivery) => setImmediate(() => delivery.ack())
        await filled(300, 7)
        await user.arrived(300)
        expect(user.texts).toEqual(numbered(300))
        const numbers = user.deliveries.map(({ sequence }) => sequence)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(new Set(numbers).size).toBe(300)
      })

      it('no more of a queue than may be unsettled', async () => {
        await filled(10, 3)
        await user.arrived(3)
        await waitFor(async () => (await user.depth(queue)) === 7, { what: 'the others to wait' })
        expect(user.texts).toEqual(['m1', 'm2', 'm3'])
        user.deliveries[1]?.ack()
        await user.arrived(4)
        expect(user.texts).toEqual(['m1', 'm2', 'm3', 'm4'])
      })

      it('more when the window grows', async () => {
        await filled(10, 2)
        await user.arrived(2)
        user.window.resize(new Map([[queue, 6]]))
        await user.arrived(6)
        user.window.resize(new Map([[queue, 8]]), true)
        await user.arrived(8)
        await waitFor(async () => (await user.depth(queue)) === 2, { what: 'the others to wait' })
        expect(user.texts).toEqual(numbered(8))
      })

      it('no more until enough is settled when the window shrinks', async () => {
        await filled(10, 5)
        await user.arrived(5)
        user.window.resize(new Map([[queue, 2]]))
        await user.window.settled()
        for (const delivery of user.deliveries.slice(0, 3)) delivery.ack()
        await user.window.settled()
        expect(await user.depth(queue)).toBe(5)
        user.deliveries[3]?.ack()
        await user.arrived(6)
        await waitFor(async () => (await user.depth(queue)) === 4, { what: 'the others to wait' })
        expect(user.texts).toEqual(numbered(6))
      })

      it('nothing of a queue that is named no more', async () => {
        await filled(4, 2)
        await user.arrived(2)
        user.window.resize(new Map())
        await user.window.settled()
        for (const delivery of user.deliveries) delivery.ack()
        await waitFor(async () => user.window.count(queue) === 0, { what: 'the consumers to go' })
        expect(await user.depth(queue)).toBe(2)
      })

      it('of each queue as much as is said for it', async () => {
        const other = randomQueue()
        await user.broker.declare(user.queue(other))
        await user.send(other, numbered(5))
        user.capacity.set(other, 1)
        await filled(5, 3, [other])
        await user.arrived(4)
        await waitFor(async () => (await user.depth(queue)) === 2 && (await user.depth(other)) === 4, {
          what: 'the rest',
        })
        expect(user.deliveries.filter((delivery) => delivery.queue === other)).toHaveLength(1)
      })

      it('without a limit all that there is, where slots have none', async () => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, numbered(40))
        user.capacity.set(queue, 2)
        await user.take([user.queue(queue)], { prefetch: 0 })
        await user.arrived(40)
        expect(user.texts).toEqual(numbered(40))
      })

      it('back in order what was given back', async () => {
        await filled(8, 4)
        await user.arrived(4)
        user.window.resize(new Map())
        await user.window.settled()
        for (const index of [2, 0, 3, 1]) user.deliveries[index]?.giveBack()
        await waitFor(async () => (await user.depth(queue)) === 8, { what: 'the messages to be back' })
        user.window.resize(new Map([[queue, 8]]))
        await user.arrived(12)
        expect(user.texts.slice(4)).toEqual(numbered(8))
        const again = user.deliveries.slice(4).map(({ redelivered }) => redelivered)
        expect(again).toEqual([true, true, true, true, false, false, false, false])
      })

      it('nothing twice that is acknowledged or rejected', async () => {
        await filled(3, 3)
        const [first, second] = await user.arrived(3)
        first?.ack()
        first?.giveBack()
        second?.reject()
        await user.stop()
        const other = join()
        other.capacity.set(queue, 3)
        await other.take([other.queue(queue)])
        await other.arrived(1)
        await waitFor(async () => (await other.depth(queue)) === 0, { what: 'the queue to be empty' })
        expect(other.texts).toEqual(['m3'])
      })

      it('again in order what a lost connection held', async () => {
        await filled(6, 4)
        const [first] = await user.arrived(4)
        first?.ack()
        await user.arrived(5)
        await user.lose()
        await user.arrived(9)
        expect(user.texts.slice(5)).toEqual(['m2', 'm3', 'm4', 'm5'])
        expect(user.deliveries[5]).toMatchObject({ redelivered: true, live: true })
        expect(user.sessions[0]?.ended.aborted).toBe(true)
        const old = user.deliveries[1]
        expect(old).toMatchObject({ live: false, settled: false })
        old?.ack()
        expect(user.log.of('WARNING')).toContainEqual(
          expect.stringContaining('is gone, and the broker delivers the message again'),
        )
        await waitFor(async () => (await user.depth(queue)) === 1, { what: 'one to wait' })
      })

      it('to others what is unsettled at the end, and takes what is settled after the close', async () => {
        await filled(4, 3)
        const [first] = await user.arrived(3)
        await user.window.close()
        first?.ack()
        await user.send(queue, ['m5'])
        // Both would have come by now.
        await waitFor(async () => (await user.depth(queue)) === 2, { what: 'what nobody takes' })
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
        expect(user.deliveries).toHaveLength(3)
        await user.stop()
        const other = join()
        other.capacity.set(queue, 4)
        await other.take([other.queue(queue)])
        await other.arrived(4)
        expect(other.texts).toEqual(['m2', 'm3', 'm4', 'm5'])
      })

      it('each of two that share a queue what it has room for', async () => {
        await filled(6, 2)
        const other = join()
        other.capacity.set(queue, 3)
        await user.arrived(2)
        await other.take([other.queue(queue)])
        await other.arrived(3)
        expect(other.texts).toEqual(['m3', 'm4', 'm5'])
        const depths = await other.window.depths([queue])
        const consumers = user.window.count(queue) + other.window.count(queue)
        await waitFor(async () => (await other.depth(queue)) === 1, { what: 'one to wait' })
        expect(depths.get(queue)?.consumers).toBe(consumers)
      })

      it('up one message alone over which we fail', async () => {
        user.onDelivery = (delivery) => {
          if (delivery.content.toString() === 'm2') throw new Error('a fault of ours')
        }
        await filled(4, 2)
        await user.arrived(3)
        expect(user.texts).toEqual(['m1', 'm2', 'm3'])
        expect(user.log.of('CRITICAL')).toEqual([expect.stringContaining('a fault of ours')])
      })
    })

    describe('knows', () => {
      it('how deep queues are, and leaves out those that are not there', async () => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, numbered(3))
        user.capacity.set(queue, 1)
        await user.take([user.queue(queue)])
        await user.arrived(1)
        await waitFor(async () => (await user.depth(queue)) === 2, { what: 'two to wait' })
        const depths = await user.window.depths([queue, randomQueue()])
        expect([...depths]).toEqual([[queue, { ready: 2, consumers: 1 }]])
      })

      it('one more queue when it is told of it', async () => {
        const other = randomQueue()
        await user.broker.declare(user.queue(queue))
        await user.take([user.queue(queue)])
        await user.window.add(user.queue(other))
        await user.send(other, ['one'])
        user.window.resize(new Map([[other, 1]]))
        await user.arrived(1)
        expect(user.deliveries[0]?.queue).toBe(other)
      })

      it('which queue it may not consume, and goes on with the others', async () => {
        const owner = join()
        const own = owner.queue(randomQueue(), { exclusive: true, durable: false })
        await owner.take([own])
        await user.broker.declare(user.queue(queue))
        await user.send(queue, ['one'])
        user.capacity = new Map([[queue, 1]])
        await user.take([{ ...own, exclusive: false }, user.queue(queue)])
        expect(user.refused).toEqual([own.name])
        await user.arrived(1)
        await expect(user.window.add({ ...own, exclusive: false })).rejects.toMatchObject({ isCostly: false })
        expect(user.sessions[0]?.ended.aborted).toBe(false)
      })

      it('how to empty queues, before anything is taken and when it is told to', async () => {
        await user.broker.declare(user.queue(queue))
        await user.send(queue, numbered(3))
        user.capacity.set(queue, 5)
        await user.take([user.queue(queue)], { purged: [queue] })
        expect(user.log.of('WARNING')).toEqual(['purge: Erased 3 messages from the queue.'])
        await user.send(queue, ['new'])
        await user.arrived(1)
        await user.lose()
        await user.arrived(2)
        expect(user.texts).toEqual(['new', 'new'])
        user.window.resize(new Map())
        await user.window.settled()
        await user.send(queue, numbered(2))
        expect(await user.broker.session((session) => session.purge(queue))).toBe(2)
        expect(await user.broker.session((session) => session.purge(randomQueue()))).toBe(0)
      })

      it('how to run one piece of work and leave', async () => {
        let ended: AbortSignal | undefined
        const done = await user.broker.session(async (session) => {
          ended = session.ended
          await session.declare(user.queue(queue))
          return 'done'
        })
        expect([done, ended?.aborted]).toEqual(['done', true])
        await user.send(queue, ['one'])
        await expect(user.broker.session(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
      })

      it('how to start and stop twice', async () => {
        const connection = user.broker.connect({ onUp: async () => undefined, onDown: async () => undefined })
        await connection.start()
        await connection.start()
        await connection.stop()
        await connection.stop()
        const other = user.broker.connect({ onUp: async () => undefined, onDown: async () => undefined })
        await other.stop()
      })

      it('how to try again what could not be built', async () => {
        let tries = 0
        let downs = 0
        const connection = user.broker.connect({
          onUp: async () => {
            if (++tries === 1) throw new Error('not yet')
          },
          onDown: async () => {
            downs++
          },
        })
        await connection.start()
        await waitFor(() => tries === 2, { what: 'the second try' })
        expect(downs).toBe(1)
        await connection.stop()
        expect([tries, downs]).toEqual([2, 2])
      })
    })

    describeNodes(() => user, join)
  })
}
