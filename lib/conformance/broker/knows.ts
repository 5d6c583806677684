import { deepEqual, equal, rejects } from 'node:assert/strict'
import { type AddCase, randomName, waitFor } from '../suite.js'
import { type BrokerBench, numbered } from './user.js'

/** Tests of everything besides sending and taking messages. */
export function knows(it: AddCase<BrokerBench>): void {
  it('how deep queues are, and leaves out those that are not there', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.send(queue, numbered(3))
    user.capacity.set(queue, 1)
    await user.take([user.queue(queue)])
    await user.arrived(1)
    await waitFor(async () => (await user.depth(queue)) === 2, 'two to wait')
    const depths = await user.window.depths([queue, randomName()])
    deepEqual([...depths], [[queue, { ready: 2, consumers: 1 }]])
  })

  it('one more queue when it is told of it', async ({ user, queue }) => {
    const other = randomName()
    await user.broker.declare(user.queue(queue))
    await user.take([user.queue(queue)])
    await user.window.add(user.queue(other))
    await user.send(other, ['one'])
    user.window.resize(new Map([[other, 1]]))
    await user.arrived(1)
    equal(user.deliveries[0]?.queue, other)
  })

  it('which queue it may not consume, and goes on with the others', async ({ user, join, queue }) => {
    const owner = join()
    const own = owner.queue(randomName(), { exclusive: true, durable: false })
    await owner.take([own])
    await user.broker.declare(user.queue(queue))
    await user.send(queue, ['one'])
    user.capacity = new Map([[queue, 1]])
    await user.take([{ ...own, exclusive: false }, user.queue(queue)])
    deepEqual(user.refused, [own.name])
    await user.arrived(1)
    await rejects(user.window.add({ ...own, exclusive: false }), { isCostly: false })
    equal(user.sessions[0]?.ended.aborted, false)
  })

  it('how to empty queues, before anything is taken and when it is told to', async ({ user, queue }) => {
    await user.broker.declare(user.queue(queue))
    await user.send(queue, numbered(3))
    user.capacity.set(queue, 5)
    await user.take([user.queue(queue)], { purged: [queue] })
    deepEqual(user.log.of('WARNING'), ['purge: Erased 3 messages from the queue.'])
    await user.send(queue, ['new'])
    await user.arrived(1)
    await user.lose()
    await user.arrived(2)
    deepEqual(user.texts, ['new', 'new'])
    user.window.resize(new Map())
    await user.window.settled()
    await user.send(queue, numbered(2))
    equal(await user.broker.session((session) => session.purge(queue)), 2)
    equal(await user.broker.session((session) => session.purge(randomName())), 0)
  })

  it('how to run one piece of work and leave', async ({ user, queue }) => {
    let ended: AbortSignal | undefined
    const done = await user.broker.session(async (session) => {
      ended = session.ended
      await session.declare(user.queue(queue))
      return 'done'
    })
    deepEqual([done, ended?.aborted], ['done', true])
    await user.send(queue, ['one'])
    await rejects(
      user.broker.session(() => Promise.reject(new Error('no'))),
      /no/,
    )
  })

  it('how to start and stop twice', async ({ user }) => {
    const connection = user.broker.connect({ onUp: async () => undefined, onDown: async () => undefined })
    await connection.start()
    await connection.start()
    await connection.stop()
    await connection.stop()
    const other = user.broker.connect({ onUp: async () => undefined, onDown: async () => undefined })
    await other.stop()
  })

  it('how to try again what could not be built', async ({ user }) => {
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
    await waitFor(() => tries === 2, 'the second try')
    equal(downs, 1)
    await connection.stop()
    deepEqual([tries, downs], [2, 2])
  })
}
