import { deepEqual, equal } from 'node:assert/strict'
import { type AddCase, matches, randomName, tells, waitFor } from '../suite.js'
import { type BrokerBench, numbered } from './user.js'

/** Tests of deliveries and their settlement. */
export function gives(it: AddCase<BrokerBench>): void {
  it('the messages of a queue in its order, each with a higher number', async ({ user, filled }) => {
    user.onDelivery = (delivery) => setImmediate(() => delivery.ack())
    await filled(300, 7)
    await user.arrived(300)
    deepEqual(user.texts, numbered(300))
    const numbers = user.deliveries.map(({ sequence }) => sequence)
    deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
    equal(new Set(numbers).size, 300)
  })

  it('no more of a queue than may be unsettled', async ({ user, queue, filled }) => {
    await filled(10, 3)
    await user.arrived(3)
    await waitFor(async () => (await user.depth(queue)) === 7, 'the others to wait')
    deepEqual(user.texts, ['m1', 'm2', 'm3'])
    user.deliveries[1]?.ack()
    await user.arrived(4)
    deepEqual(user.texts, ['m1', 'm2', 'm3', 'm4'])
  })

  it('more when the window grows', async ({ user, queue, filled }) => {
    await filled(10, 2)
    await user.arrived(2)
    user.window.resize(new Map([[queue, 6]]))
    await user.arrived(6)
    user.window.resize(new Map([[queue, 8]]), true)
    await user.arrived(8)
    await waitFor(async () => (await user.depth(queue)) === 2, 'the others to wait')
    deepEqual(user.texts, numbered(8))
  })

  it('no more until enough is settled when the window shrinks', async ({ user, queue, filled }) => {
    await filled(10, 5)
    await user.arrived(5)
    user.window.resize(new Map([[queue, 2]]))
    await user.window.settled()
    for (const delivery of user.deliveries.slice(0, 3)) delivery.ack()
    await user.window.settled()
    equal(await user.depth(queue), 5)
    user.deliveries[3]?.ack()
    await user.arrived(6)
    await waitFor(async () => (await user.depth(queue)) === 4, 'the others to wait')
    deepEqual(user.texts, numbered(6))
  })

  it('nothing of a queue that is named no more', async ({ user, queue, filled }) => {
    await filled(4, 2)
    await user.arrived(2)
    user.window.resize(new Map())
    await user.window.settled()
    for (const delivery of user.deliveries) delivery.ack()
    await waitFor(async () => user.window.count(queue) === 0, 'the consumers to go')
    equal(await user.depth(queue), 2)
  })

  it('of each queue as much as is said for it', async ({ user, queue, filled }) => {
    const other = randomName()
    await user.broker.declare(user.queue(other))
    await user.send(other, numbered(5))
    user.capacity.set(other, 1)
    await filled(5, 3, [other])
    await user.arrived(4)
    await waitFor(async () => (await user.depth(queue)) === 2 && (await user.depth(other)) === 4, 'the rest')
    equal(user.deliveries.filter((delivery) => delivery.queue === other).length, 1)
  })

  it('without a limit all that there is, where slots have none', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.send(queue, numbered(40))
    user.capacity.set(queue, 2)
    await user.take([user.queue(queue)], { prefetch: 0 })
    await user.arrived(40)
    deepEqual(user.texts, numbered(40))
  })

  it('back in order what was given back', async ({ user, queue, filled }) => {
    await filled(8, 4)
    await user.arrived(4)
    user.window.resize(new Map())
    await user.window.settled()
    for (const index of [2, 0, 3, 1]) user.deliveries[index]?.giveBack()
    await waitFor(async () => (await user.depth(queue)) === 8, 'the messages to be back')
    user.window.resize(new Map([[queue, 8]]))
    await user.arrived(12)
    deepEqual(user.texts.slice(4), numbered(8))
    const again = user.deliveries.slice(4).map(({ redelivered }) => redelivered)
    deepEqual(again, [true, true, true, true, false, false, false, false])
  })

  it('nothing twice that is acknowledged or rejected', async ({ user, join, queue, filled }) => {
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
    await waitFor(async () => (await other.depth(queue)) === 0, 'the queue to be empty')
    deepEqual(other.texts, ['m3'])
  })

  it('again in order what a lost connection held', async ({ user, queue, filled }) => {
    await filled(6, 4)
    const [first] = await user.arrived(4)
    first?.ack()
    await user.arrived(5)
    await user.lose()
    await user.arrived(9)
    deepEqual(user.texts.slice(5), ['m2', 'm3', 'm4', 'm5'])
    matches(user.deliveries[5], { redelivered: true, live: true })
    equal(user.sessions[0]?.ended.aborted, true)
    const old = user.deliveries[1]
    matches(old, { live: false, settled: false })
    old?.ack()
    tells(user.log.of('WARNING'), 'is gone, and the broker delivers the message again')
    await waitFor(async () => (await user.depth(queue)) === 1, 'one to wait')
  })

  it('to others what is unsettled at the end, and takes what is settled after the close', async ({
    user,
    join,
    queue,
    filled,
  }) => {
    await filled(4, 3)
    const [first] = await user.arrived(3)
    await user.window.close()
    first?.ack()
    await user.send(queue, ['m5'])
    // Both would have arrived by now.
    await waitFor(async () => (await user.depth(queue)) === 2, 'what nobody takes')
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    equal(user.deliveries.length, 3)
    await user.stop()
    const other = join()
    other.capacity.set(queue, 4)
    await other.take([other.queue(queue)])
    await other.arrived(4)
    deepEqual(other.texts, ['m2', 'm3', 'm4', 'm5'])
  })

  it('each of two that share a queue what it has room for', async ({ user, join, queue, filled }) => {
    await filled(6, 2)
    const other = join()
    other.capacity.set(queue, 3)
    await user.arrived(2)
    await other.take([other.queue(queue)])
    await other.arrived(3)
    deepEqual(other.texts, ['m3', 'm4', 'm5'])
    const depths = await other.window.depths([queue])
    const consumers = user.window.count(queue) + other.window.count(queue)
    await waitFor(async () => (await other.depth(queue)) === 1, 'one to wait')
    equal(depths.get(queue)?.consumers, consumers)
  })

  it('up one message alone over which we fail', async ({ user, filled }) => {
    user.onDelivery = (delivery) => {
      if (delivery.content.toString() === 'm2') throw new Error('a fault of ours')
    }
    await filled(4, 2)
    await user.arrived(3)
    deepEqual(user.texts, ['m1', 'm2', 'm3'])
    equal(user.log.of('CRITICAL').length, 1)
    tells(user.log.of('CRITICAL'), 'a fault of ours')
  })
}
