import { deepEqual, equal } from 'node:assert/strict'
import type { Listener } from '../../broker/session.js'
import { systemClock } from '../../clock.js'
import { callWorkers, controlMessage, tellWorkers } from '../../control/broadcast.js'
import { decodeControl } from '../../protocol/control.js'
import { LamportClock } from '../../protocol/lamport.js'
import { type AddCase, matches, randomName, tells, waitFor } from '../suite.js'
import { type BrokerBench, type BrokerUser, messageTo } from './user.js'

/** Tests of messages between workers, clients and operators. */
export function nodes(it: AddCase<BrokerBench>): void {
  const parts = { clock: systemClock, lamport: new LamportClock(), timeout: 1 }

  /** Makes a listener that keeps what it receives. */
  const ear = (): Listener & { readonly heard: string[]; readonly faults: unknown[] } => {
    const heard: string[] = []
    const faults: unknown[] = []
    return {
      heard,
      faults,
      onMessage: (content) => heard.push(content.toString()),
      onUnreadable: (error) => faults.push(error),
    }
  }

  /** Opens a mailbox that replies with its name. */
  const answering = async (node: BrokerUser): Promise<void> => {
    await node.take([])
    const replies = node.broker.replySink(node.log)
    const session = node.sessions[0]
    if (!session) throw new Error('no session')
    await session.hearControl(node.nodename, {
      onMessage: (content) => {
        const { replyTo, ticket } = decodeControl(content)
        if (!replyTo) return
        const reply = Buffer.from(JSON.stringify({ [node.nodename]: { ok: 'pong' } }))
        const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: { ticket, clock: 1 } }
        void replies.send({ ...replyTo, content: reply, properties }, session.ended)
      },
      onUnreadable: () => undefined,
    })
  }

  it('all mailboxes hear a broadcast, and the replies come back to who asked', async ({ user, join }) => {
    const nodes = [user, join()]
    for (const node of nodes) await answering(node)
    const asker = join()
    const names = nodes.map(({ nodename }) => nodename)
    const replies = await asker.broker.session((session) =>
      callWorkers(session, { method: 'ping', destination: names }, { ...parts, timeout: 60, log: asker.log }),
    )
    deepEqual(replies.map(({ nodename }) => nodename).sort(), names.sort())
    deepEqual(replies[0]?.value, { ok: 'pong' })
    deepEqual(
      nodes.map(({ log }) => log.of('WARNING')),
      [[], []],
    )
  })

  it('a broadcast asks for no reply unless it says so, and is over when it is sent', async ({ user }) => {
    const listener = ear()
    await user.take([])
    await user.sessions[0]?.hearControl(user.nodename, listener)
    const session = await user.broker.publishing()
    await tellWorkers(session, { method: 'heartbeat' }, parts)
    await waitFor(() => listener.heard.length === 1, 'the broadcast')
    matches(JSON.parse(listener.heard[0] ?? ''), { method: 'heartbeat', destination: null })
  })

  it('it is known whether anybody hears', async ({ user, join }) => {
    const probe = controlMessage({ method: 'ping', destination: [user.nodename] }, parts)
    const session = await user.broker.publishing()
    equal(await session.isHeard(probe), false)
    const other = join()
    await answering(other)
    equal(await session.isHeard(probe), true)
    await other.stop()
    await waitFor(async () => !(await session.isHeard(probe)), 'the mailbox to go with its connection')
  })

  it('two of one name are told, and both hear', async ({ user, join }) => {
    const listeners = [ear(), ear()]
    const nodes = [user, join()]
    for (const [index, node] of nodes.entries()) {
      await node.take([])
      await node.sessions[0]?.hearControl('twin@spec', listeners[index] as Listener)
    }
    tells(nodes[1]?.log.of('WARNING'), 'A node named twin@spec is already using')
    await tellWorkers(await user.broker.publishing(), { method: 'ping' }, parts)
    await waitFor(() => listeners.every(({ heard }) => heard.length === 1), 'both to hear')
  })

  it('a reply that nobody can have is dropped, and the next one goes out', async ({ user }) => {
    await answering(user)
    const replies = user.broker.replySink(user.log)
    const properties = { contentType: 'application/json' }
    const never = new AbortController().signal
    await replies.send({ ...messageTo('nobody', '{}', properties), exchange: randomName() }, never)
    await waitFor(() => replies.dropped === 1, 'the reply to be dropped')
    const session = await user.broker.publishing()
    const call = { method: 'ping', destination: [user.nodename] }
    const answers = await callWorkers(session, call, { ...parts, timeout: 60, log: user.log })
    equal(answers.length, 1)
  })

  it('events come to all who hear them, of the kinds that they want', async ({ user, join }) => {
    const all = ear()
    const ofWorkers = ear()
    await user.take([])
    await user.sessions[0]?.hearEvents('#', all)
    await user.sessions[0]?.hearEvents('worker.#', { ...ofWorkers, onClosed: () => undefined })
    const sink = join().broker.eventSink()
    let ups = 0
    sink.onUp(() => ups++)
    await sink.start()
    await waitFor(() => sink.open && ups === 1, 'the sink')
    sink.publish('task.multi', 'w@spec', Buffer.from('task'))
    sink.publish('worker.heartbeat', 'w@spec', Buffer.from('worker'))
    await waitFor(() => all.heard.length === 2 && ofWorkers.heard.length === 1, 'the events')
    deepEqual([all.heard, ofWorkers.heard, sink.dropped], [['task', 'worker'], ['worker'], 0])
    await sink.stop()
    equal(sink.open, false)
  })

  it('results that are messages come to the queue of who asked, until nobody waits', async ({ user }) => {
    const name = randomName()
    const heard: string[] = []
    const queue = { name, durable: true, autoDelete: true, arguments: { 'x-expires': 60_000 } } as const
    const close = await user.broker.results.open(queue, (content) => heard.push(content.toString()))
    await user.send(name, ['one', 'two'])
    await waitFor(() => heard.length === 2, 'the results')
    deepEqual(heard, ['one', 'two'])
    await close()
    await waitFor(
      () =>
        user.send(name, ['late']).then(
          () => false,
          () => true,
        ),
      'the queue to go',
    )
  })
}
