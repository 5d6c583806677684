import { AsyncResource } from 'node:async_hooks'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { currentRun } from '../../lib/app/current.js'
import { Reject, Retry } from '../../lib/app/predicate.js'
import type { Executor } from '../../lib/executors/executor.js'
import { group } from '../../lib/index.js'
import type { Outcome } from '../../lib/trace/outcome.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { KeptMessages } from '../support/keptMessages.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('the line', () => {
  let app: OfflineApp
  let gated: Gated

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    app.task('late', { acksLate: true }, gated.run)
    app.task('keyed', { orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
    app.task('strict', { orderBy: 'kwargs.key', orderOnFailure: 'block', params: ['name', 'key'] }, gated.run)
  })

  const keyed = (offline: OfflineLine, name: string, key: string, headers = {}) =>
    offline.deliver('keyed', { args: [name], kwargs: { key }, headers })

  it('adds nothing to the children of a run that has ended, whatever code sends that it has left behind', async () => {
    const kept = new KeptMessages()
    kept.keep(app)
    const offline = new OfflineLine(app)
    const leaf = app.task('leaf', () => null)
    let children: readonly unknown[] = []
    let later: () => Promise<void> = async () => undefined
    app.task('leaves', async () => {
      children = currentRun.getStore()?.children ?? []
      await app.sendTask('first')
      later = AsyncResource.bind(async () => {
        await app.sendTask('by its name')
        await group(leaf.s(), leaf.s()).delay()
      })
      await later()
    })
    offline.deliver('leaves')
    await offline.turn()
    expect(children).toHaveLength(3)
    for (let times = 0; times < 3; times++) await later()
    expect(kept.messages).toHaveLength(13)
    expect(children).toHaveLength(3)
  })

  it.each([
    [{ chain: [{ args: [] }] }, 'chain[0].task must be a non-empty string'],
    [{ chain: ['b'] }, 'chain must be a list of signatures'],
    [{ callbacks: [{ task: 'b', options: [] }] }, 'callbacks[0].options must be a mapping'],
    [
      { errbacks: [{ task: 'celery.group', subtask_type: 'group', kwargs: {} }] },
      'errbacks[0].kwargs.tasks must be a list of signatures',
    ],
    [{ chord: { task: 'c', args: {} } }, 'chord.args must be a list'],
    [
      { chain: new Array(100_001).fill({ task: 'b' }) },
      'chain[100000] is one more signature than the 100000 of worker_max_canvas_items',
    ],
  ])('rejects a message before its task runs if what is to follow is no signature: %#', (embed, fault) => {
    const offline = new OfflineLine(app, { config: { worker_max_message_items: 1_000_000 } })
    const { properties } = taskMessage('plain', { id: 'x' })
    const delivery = new FakeDelivery(properties, Buffer.from(JSON.stringify([['a'], {}, embed])))
    offline.deliverRaw(delivery)
    expect(gated.started).toEqual([])
    expect(delivery.settledBy).toBe('reject')
    expect(offline.log.of('ERROR')).toEqual([expect.stringContaining(`Received invalid task message: ${fault}`)])
  })

  it.each([
    [{ worker_max_canvas_items: 2 }, 'worker_max_canvas_items'],
    [{ worker_max_canvas_nesting: 1 }, 'worker_max_canvas_nesting'],
  ])('takes of what is to follow as much as the settings say: %j', (config, name) => {
    const tasks = [{ task: 'celery.group', subtask_type: 'group', kwargs: { tasks: [{ task: 'b', options: {} }] } }]
    const link = [{ task: 'celery.chain', subtask_type: 'chain', kwargs: { tasks } }]
    const [few, many] = [{}, config].map((config) => {
      const offline = new OfflineLine(app, { config })
      const delivery = new FakeDelivery(
        taskMessage('plain', { id: 'x' }).properties,
        Buffer.from(JSON.stringify([['a'], {}, { callbacks: link }])),
      )
      offline.deliverRaw(delivery)
      return { delivery, offline }
    })
    expect(few?.delivery.settledBy).toBe('ack')
    expect(many?.delivery.settledBy).toBe('reject')
    expect(many?.offline.log.of('ERROR')).toEqual([expect.stringContaining(name)])
  })

  describe('acknowledgement', () => {
    it('comes before the run, unless the task acknowledges late', async () => {
      const offline = new OfflineLine(app)
      const early = offline.deliver('plain', { args: ['early'] })
      const late = offline.deliver('late', { args: ['late'] })
      expect([early.settledBy, late.settledBy]).toEqual(['ack', null])
      gated.end('late')
      await offline.turn()
      expect(late.settledBy).toBe('ack')
    })

    describe('in a pool of children', () => {
      let come: (end: Outcome | null) => void
      /** A child comes up, or does not, when the spec says so. */
      const executor: Executor = {
        name: 'prefork',
        extraStopMs: 0,
        start: async () => undefined,
        stop: async () => undefined,
        resize: () => undefined,
        describe: () => ({}),
        run: async (_, hooks) => {
          const end = await new Promise<Outcome | null>((resolve) => {
            come = resolve
          })
          if (end) return end
          hooks.onStart()
          return new Promise(() => undefined)
        },
      }

      it('comes once a child has the task', async () => {
        const offline = new OfflineLine(app, { executor })
        const delivery = offline.deliver('plain', { args: ['early'] })
        await offline.turn()
        expect(delivery.settledBy).toBeNull()
        come(null)
        await offline.turn()
        expect(delivery.settledBy).toBe('ack')
      })

      it('never comes where no child has: the message goes back', async () => {
        const offline = new OfflineLine(app, { executor })
        const delivery = offline.deliver('plain', { args: ['early'] })
        offline.line.close()
        come({ state: 'ABORTED', error: new Error('the pool has stopped'), runtimeMs: 0 })
        await offline.line.pool.idle()
        expect(delivery.settledBy).toBe('giveBack')
      })
    })

    it('is late for a task with a key, whatever its options say', () => {
      const offline = new OfflineLine(app)
      expect(keyed(offline, 'a', '1').settledBy).toBeNull()
    })

    it('is a reject without requeue when the task rejects, and none where it was acknowledged already', async () => {
      const offline = new OfflineLine(app)
      const late = offline.deliver('late', { args: ['late'] })
      const early = offline.deliver('plain', { args: ['early'] })
      gated.fail('late', new Reject('no'))
      gated.fail('early', new Reject('no'))
      await offline.turn()
      expect([late.settledBy, early.settledBy]).toEqual(['reject', 'ack'])
    })
  })

  it('stores that a task is retried before the message of its next try is out', async () => {
    const backend = new MemoryBackend()
    const offline = new OfflineLine(app, { backend })
    const stateThen: unknown[] = []
    offline.onPublish = async () => void stateThen.push((await backend.get('x'))?.status)
    offline.deliver('late', { id: 'x', args: ['a'] })
    gated.fail('a', new Retry({ countdown: 1 }))
    await offline.turn()
    expect(stateThen).toEqual(['RETRY'])
    expect(offline.published).toHaveLength(1)
  })

  describe('slots', () => {
    it('run as many tasks as there are, the earliest delivered first', async () => {
      const offline = new OfflineLine(app, { slots: 2 })
      for (const name of ['a', 'b', 'c', 'd']) offline.deliver('plain', { args: [name] })
      expect(gated.started).toEqual(['a', 'b'])
      gated.end('b')
      await offline.turn()
      expect(gated.started).toEqual(['a', 'b', 'c'])
      offline.line.pool.resize(3)
      expect(gated.started).toEqual(['a', 'b', 'c', 'd'])
    })

    it('go to the earliest delivered message among the lanes that are ready', async () => {
      const offline = new OfflineLine(app, { slots: 1 })
      keyed(offline, 'k1', 'k')
      keyed(offline, 'k2', 'k')
      offline.deliver('plain', { args: ['later'] })
      gated.end('k1')
      await offline.turn()
      expect(gated.started).toEqual(['k1', 'k2'])
    })
  })

  describe('order', () => {
    it('keeps a key to one run at a time, in the order of arrival, and other keys go on', async () => {
      const offline = new OfflineLine(app)
      keyed(offline, 'a1', 'a')
      keyed(offline, 'a2', 'a')
      keyed(offline, 'b1', 'b')
      keyed(offline, 'a3', 'a')
      expect(gated.started).toEqual(['a1', 'b1'])
      gated.end('a1')
      await offline.turn()
      gated.end('a2')
      await offline.turn()
      expect(gated.started).toEqual(['a1', 'b1', 'a2', 'a3'])
    })

    it('costs no slot while a message waits for its key', () => {
      const offline = new OfflineLine(app, { slots: 2 })
      keyed(offline, 'a1', 'a')
      keyed(offline, 'a2', 'a')
      keyed(offline, 'b1', 'b')
      expect(gated.started).toEqual(['a1', 'b1'])
      expect(offline.line.state.parked).toBe(1)
      expect(offline.line.state.parkedFrom('spec')).toBe(1)
    })

    it('lets a retry wait in its lane, unacknowledged and without a slot, and nothing overtakes it', async () => {
      const offline = new OfflineLine(app)
      const first = keyed(offline, 'a1', 'a')
      keyed(offline, 'a2', 'a')
      gated.fail('a1', new Retry({ countdown: 10 }))
      await offline.turn()
      expect(offline.line.state.running.size).toBe(0)
      expect(offline.line.state.parked).toBe(2)
      offline.clock.advance(9_999)
      expect(gated.started).toEqual(['a1'])
      offline.clock.advance(1)
      expect(gated.started).toEqual(['a1', 'a1'])
      expect(first.settledBy).toBeNull()
      gated.end('a1')
      await offline.turn()
      expect(first.settledBy).toBe('ack')
      expect(gated.started).toEqual(['a1', 'a1', 'a2'])
      expect(offline.published).toEqual([])
    })

    it('counts as children of each try only what that try has sent', async () => {
      const kept = new KeptMessages()
      kept.keep(app)
      const backend = new MemoryBackend()
      const offline = new OfflineLine(app, { backend })
      const ends = [new Retry({ countdown: 1 }), new Reject('later', true), null]
      const seen: unknown[] = []
      app.task('sends', { bind: true, orderBy: 'args.0', params: ['key'] }, async (self, key: string) => {
        seen.push(self.startedChildren.length)
        await app.sendTask(key)
        const end = ends[seen.length - 1]
        if (end) throw end
      })
      offline.deliver('sends', { id: 'x', args: ['k'] })
      for (const _ of ends) {
        await offline.turn()
        offline.clock.advance(1_000)
      }
      expect(kept.messages).toHaveLength(3)
      expect(seen).toEqual([0, 0, 0])
      expect(await backend.get('x')).toMatchObject({ status: 'SUCCESS', children: [expect.anything()] })
    })

    it('sends a retry that is longer than the hold limit back through the broker, and says so', async () => {
      const offline = new OfflineLine(app, { config: { worker_order_hold_limit: 60 } })
      const first = keyed(offline, 'a1', 'a')
      keyed(offline, 'a2', 'a')
      gated.fail('a1', new Retry({ countdown: 61 }))
      await offline.turn()
      expect(offline.published).toHaveLength(1)
      expect(offline.published[0]?.properties.headers).toMatchObject({
        retries: 1,
        eta: new Date(offline.clock.now() + 61_000).toISOString().replace('.000Z', '+00:00'),
      })
      expect(first.settledBy).toBe('ack')
      expect(gated.started).toEqual(['a1', 'a2'])
      expect(offline.log.of('WARNING').join()).toContain('loses its place in the order key a')
    })

    it.each([{ queue: 'b' }, { priority: 3 }, { expires: 5 }, { headers: { a: 1 } }])(
      'sends a retry that needs a new message, and says so: %p',
      async (asked) => {
        const offline = new OfflineLine(app, { config: { worker_order_hold_limit: 60 } })
        const first = keyed(offline, 'a1', 'a')
        keyed(offline, 'a2', 'a')
        gated.fail('a1', new Retry({ countdown: 1, ...asked }))
        await offline.turn()
        expect(offline.published).toHaveLength(1)
        expect(first.settledBy).toBe('ack')
        expect(gated.started).toEqual(['a1', 'a2'])
        expect(offline.log.of('WARNING').join()).toContain('loses its place in the order key a: queue, priority,')
      },
    )

    it.each([
      ['countdown', { countdown: 1.7e12 }],
      ['eta', { eta: new Date(8.64e15) }],
    ])('fails a task whose next try is later than a message can say: %s', async (_by, options) => {
      const backend = new MemoryBackend()
      const offline = new OfflineLine(app, { backend })
      offline.deliver('late', { id: 'x', args: ['a'] })
      gated.fail('a', new Retry(options))
      await offline.turn()
      expect([(await backend.get('x'))?.status, offline.published]).toEqual(['FAILURE', []])
    })

    it('frees the lane after a failure', async () => {
      const offline = new OfflineLine(app)
      keyed(offline, 'a1', 'a')
      keyed(offline, 'a2', 'a')
      gated.fail('a1', new Error('boom'))
      await offline.turn()
      expect(gated.started).toEqual(['a1', 'a2'])
    })

    it("keeps the lane shut after a failure when the task says 'block', until it is unblocked", async () => {
      const offline = new OfflineLine(app)
      offline.deliver('strict', { args: ['s1'], kwargs: { key: 'a' } })
      offline.deliver('strict', { args: ['s2'], kwargs: { key: 'a' } })
      gated.fail('s1', new Error('boom'))
      await offline.turn()
      offline.deliver('strict', { args: ['s3'], kwargs: { key: 'a' } })
      expect(gated.started).toEqual(['s1'])
      expect([...offline.line.lanes]).toMatchObject([
        { key: 'a', depth: 2, blocked: true, head: null, oldest: { args: ['s2'] } },
      ])
      expect(offline.line.gate.unblock('a')).toBe(true)
      expect(gated.started).toEqual(['s1', 's2'])
      expect(offline.line.gate.unblock('a')).toBe(false)
    })

    it('gives a place to a message with an ETA when it is due, not when it arrives', async () => {
      const offline = new OfflineLine(app)
      const eta = new Date(offline.clock.now() + 5_000).toISOString()
      const watchdog = keyed(offline, 'watchdog', 'a', { eta })
      const end = keyed(offline, 'end', 'a')
      expect(gated.started).toEqual(['end'])
      expect([watchdog.detached, end.detached]).toEqual([true, false])
      offline.clock.advance(5_000)
      expect(gated.started).toEqual(['end'])
      gated.end('end')
      await offline.turn()
      expect(gated.started).toEqual(['end', 'watchdog'])
    })

    it('lets what expires while it waits leave the lane at once', async () => {
      const offline = new OfflineLine(app)
      keyed(offline, 'a1', 'a')
      const second = keyed(offline, 'a2', 'a', { expires: new Date(offline.clock.now() + 1_000).toISOString() })
      keyed(offline, 'a3', 'a')
      offline.clock.advance(1_001)
      await offline.turn()
      expect(second.settledBy).toBe('ack')
      expect(offline.log.of('INFO')).toContain(`Discarding revoked task: keyed[${second.properties.correlationId}]`)
      gated.end('a1')
      await offline.turn()
      expect(gated.started).toEqual(['a1', 'a3'])
    })

    it.each([
      ['expires while it waits for its next try', 5_000],
      ['expired before it asked for one', -1],
    ])('lets what %s leave the lane then', async (_what, leftMs) => {
      const offline = new OfflineLine(app)
      const expires = new Date(offline.clock.now() + 10_000).toISOString()
      const first = keyed(offline, 'a1', 'a', { expires })
      keyed(offline, 'a2', 'a')
      offline.clock.advance(10_000 - leftMs)
      gated.fail('a1', new Retry({ countdown: 60 }))
      await offline.turn()
      offline.clock.advance(Math.max(0, leftMs) + 2)
      await offline.turn()
      expect([first.settledBy, gated.started]).toEqual(['ack', ['a1', 'a2']])
    })

    it.each([
      ['its id', (offline: OfflineLine) => void offline.line.revoke(['first'])],
      ['a stamp', (offline: OfflineLine) => offline.line.revokeByStamps({ mid: ['m'] })],
    ])(
      'lets what was revoked while it ran leave the lane instead of waiting for its next try: by %s',
      async (_by, revoke) => {
        const offline = new OfflineLine(app)
        const first = keyed(offline, 'a1', 'a', { id: 'first', stamped_headers: ['mid'], mid: 'm' })
        keyed(offline, 'a2', 'a')
        revoke(offline)
        gated.fail('a1', new Retry({ countdown: 60 }))
        await offline.turn()
        expect([first.settledBy, gated.started]).toEqual(['ack', ['a1', 'a2']])
      },
    )

    it('tries a message again in its place, after a second, when its task rejects it back to the queue', async () => {
      const offline = new OfflineLine(app)
      const deliveries = ['a1', 'a2'].map((name) => keyed(offline, name, 'a'))
      gated.fail('a1', new Reject('later', true))
      await offline.turn()
      offline.clock.advance(999)
      expect(gated.started).toEqual(['a1'])
      expect(offline.line.state.running.size).toBe(0)
      offline.clock.advance(1)
      expect(gated.started).toEqual(['a1', 'a1'])
      expect(offline.settled).toEqual([])
      gated.end('a1')
      await offline.turn()
      expect(gated.started).toEqual(['a1', 'a1', 'a2'])
      expect(offline.settled).toEqual(deliveries.slice(0, 1))
    })

    it('gives a message without a key back at once when its task rejects it back to the queue', async () => {
      const offline = new OfflineLine(app)
      const delivery = offline.deliver('late', { args: ['a'] })
      gated.fail('a', new Reject('later', true))
      await offline.turn()
      expect(delivery.settledBy).toBe('giveBack')
    })

    it('gives a message back that its task rejects back to the queue while the worker stops, before those behind it', async () => {
      const offline = new OfflineLine(app)
      const deliveries = ['a1', 'a2', 'a3'].map((name) => keyed(offline, name, 'a'))
      offline.line.close()
      gated.fail('a1', new Reject('later', true))
      await offline.line.pool.idle()
      expect(offline.settled).toEqual(deliveries)
      expect(deliveries.map(({ settledBy }) => settledBy)).toEqual(['giveBack', 'giveBack', 'giveBack'])
    })
  })

  describe('a stop', () => {
    it('gives back what has not started, in order, and keeps what waits behind a running task until that has ended', async () => {
      const offline = new OfflineLine(app, { slots: 1 })
      const running = keyed(offline, 'a1', 'a')
      const behind = [keyed(offline, 'a2', 'a'), keyed(offline, 'a3', 'a')]
      const free = [offline.deliver('plain', { args: ['p'] }), keyed(offline, 'b1', 'b'), keyed(offline, 'b2', 'b')]
      offline.line.close()
      expect(offline.settled).toEqual(free)
      gated.end('a1')
      await offline.line.pool.idle()
      expect(running.settledBy).toBe('ack')
      expect(offline.settled.slice(-2)).toEqual(behind)
      expect([...free, ...behind].every((delivery) => delivery.settledBy === 'giveBack')).toBe(true)
      expect(offline.line.state.requests.size).toBe(0)
      expect(offline.line.lanes.size).toBe(0)
      expect(offline.clock.pending).toBe(0)
    })

    it('gives back a keyed task that wants to be retried, before those behind it', async () => {
      const offline = new OfflineLine(app)
      const deliveries = [keyed(offline, 'a1', 'a'), keyed(offline, 'a2', 'a')]
      offline.line.close()
      gated.fail('a1', new Retry({ countdown: 1 }))
      await offline.line.pool.idle()
      expect(offline.settled).toEqual(deliveries)
    })

    it('starts nothing that arrives afterwards', async () => {
      const offline = new OfflineLine(app)
      offline.line.close()
      expect(offline.deliver('plain', { args: ['p'] }).settledBy).toBe('giveBack')
      expect(gated.started).toEqual([])
    })
  })

  describe('a lost connection', () => {
    it('that is found where a rate limit is lifted leaves none of its messages among those that wait for a slot', () => {
      app.task('limited', { rateLimit: '1/m' }, gated.run)
      const offline = new OfflineLine(app)
      const [, ...waiting] = ['a', 'b', 'c'].map((name) => offline.deliver('limited', { args: [name] }))
      offline.line.standstill.check = () => {
        for (const delivery of waiting) delivery.live = false
        offline.line.connectionLost()
      }
      offline.line.gate.rates.set('limited', null)
      expect(gated.started).toEqual(['a'])
      expect([offline.line.state.requests.size, offline.line.state.ready]).toEqual([1, 0])
    })

    it('makes the line forget what had not started, and tells a keyed run to stop', async () => {
      const offline = new OfflineLine(app, { slots: 1 })
      let aborted = false
      app.task('bound', { bind: true, orderBy: 'kwargs.key', params: ['key'] }, async (self, key: string) => {
        self.signal.addEventListener('abort', () => {
          aborted = true
        })
        await gated.run(key)
      })
      const run = offline.deliver('bound', { kwargs: { key: 'a' } })
      const waiting = offline.deliver('bound', { kwargs: { key: 'a' } })
      const other = offline.deliver('plain', { args: ['p'] })
      for (const delivery of [run, waiting, other]) delivery.live = false
      offline.line.connectionLost()
      expect(aborted).toBe(true)
      expect([...offline.line.state.requests].map((request) => request.delivery)).toEqual([run])
      expect(offline.settled).toEqual([])
    })

    it('keeps a redelivered message from running beside the run that the loss has orphaned', async () => {
      const offline = new OfflineLine(app)
      keyed(offline, 'a1', 'a').live = false
      offline.line.connectionLost()
      keyed(offline, 'a1 again', 'a')
      expect(gated.started).toEqual(['a1'])
      gated.end('a1')
      await offline.turn()
      expect(gated.started).toEqual(['a1', 'a1 again'])
    })
  })
})
