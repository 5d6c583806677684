import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type AddCase, matches, randomName, waitFor } from '../suite.js'
import { type BrokerBench, messageTo } from './user.js'

/** Tests of sending. */
export function sends(it: AddCase<BrokerBench>): void {
  it('a message that is in its queue once it is confirmed', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.send(queue, ['one'])
    await user.take([user.queue(queue)])
    equal(await user.depth(queue), 1)
    matches(user.broker.publisher, { held: 0, state: { state: 'closed' } })
  })

  it('every property and header as it is', async ({ user, queue }) => {
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
    matches(delivery?.properties, properties)
    deepEqual(user.texts, ['naïve ☂'])
    matches(delivery, { queue, exchange: '', routingKey: queue, redelivered: false, live: true })
  })

  it('nothing for good to where nobody takes it', async ({ user, queue }) => {
    const lost = user.broker.publisher.publish(messageTo(queue, 'lost'))
    await rejects(lost, { code: 'CELERIAC_BROKER', retriable: false })
    const elsewhere = { ...messageTo(queue, 'lost'), exchange: queue }
    await rejects(user.broker.publisher.publish(elsewhere), { retriable: false })
    // A message that may be lost is not an error.
    await user.broker.publisher.publish({ ...messageTo(queue, 'lost'), mandatory: false })
    await user.broker.declare(user.queue(queue))
    await user.send(queue, ['goes on'])
  })

  it('nothing once it is stopped', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.stop()
    await rejects(user.send(queue, ['late']), { code: 'CELERIAC_BROKER' })
  })

  for (const [type, routingKey, taken, others] of [
    ['direct', 'a.b', ['a.b'], ['a', 'a.b.c']],
    ['topic', 'a.*', ['a.b'], ['a', 'a.b.c', 'b.a']],
    ['topic', 'a.#', ['a', 'a.b', 'a.b.c'], ['b', 'b.a']],
    ['topic', '#.c', ['c', 'a.b.c'], ['c.a']],
    ['fanout', 'x', ['x', 'y', ''], []],
  ] as const) {
    it(`through a ${type} exchange by ${routingKey}`, async ({ user, queue }) => {
      const exchange = { name: `x.${queue}`, type, durable: true, autoDelete: false }
      const second = randomName()
      for (const name of [queue, second]) await user.broker.declare(user.queue(name, { exchange, routingKey }))
      for (const key of [...taken, ...others]) {
        await user.broker.publisher.publish({ ...messageTo(key, key), exchange: exchange.name, mandatory: false })
      }
      user.capacity = new Map([[queue, 9]])
      await user.take([user.queue(queue), user.queue(second)])
      await user.arrived(taken.length)
      deepEqual(user.texts, taken)
      equal(await user.depth(second), taken.length)
    })
  }

  it('what is urgent first, where the queue has priorities', async ({ user, queue }) => {
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
    deepEqual(user.texts, ['c', 'b', 'd', 'a'])
  })

  it('nothing that is past its time', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.send(queue, ['late'], { expiration: '20' })
    await user.take([user.queue(queue)])
    await waitFor(async () => (await user.depth(queue)) === 0, 'the message to expire')
    await user.send(queue, ['in time'], { expiration: '600000' })
    user.window.resize(new Map([[queue, 2]]))
    await user.arrived(1)
    deepEqual(user.texts, ['in time'])
  })

  it('later what is postponed, and not before', async ({ user, queue }) => {
    const since = performance.now()
    await user.broker.declare(user.queue(queue))
    const postponed = await user.broker.postpone(messageTo(queue, 'later'), queue, 1000, {
      bindTo: user.queue(queue),
    })
    equal(postponed, true)
    await user.send(queue, ['now'])
    user.capacity.set(queue, 2)
    await user.take([user.queue(queue)])
    await user.arrived(2)
    deepEqual(user.texts, ['now', 'later'])
    ok(performance.now() - since > 990)
  })
}
