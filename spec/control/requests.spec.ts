import { beforeEach, describe, expect, it } from '@jest/globals'
import { Retry } from '../../lib/app/predicate.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { OfflinePanel } from './offlinePanel.js'

type Info = Record<string, unknown>

describe('the commands about requests', () => {
  let app: OfflineApp
  let gated: Gated
  let node: OfflinePanel

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    app.task('late', { acksLate: true }, gated.run)
    app.task('slow', { rateLimit: '1/m' }, gated.run)
    app.task('keyed', { orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
    node = new OfflinePanel(app, { slots: 2 })
  })

  const idsOf = (method: string): unknown[] => (node.answer(method) as Info[]).map(({ id }) => id)

  it('show a running task with every field of Celery', () => {
    node.offline.deliver('plain', {
      id: 'a',
      args: ['a'],
      kwargs: {},
      headers: { shadow: 'nick', argsrepr: "('hidden',)", kwargsrepr: '{}' },
    })
    node.offline.clock.advance(1500)
    const info = {
      id: 'a',
      name: 'nick',
      args: ['a'],
      kwargs: {},
      type: 'plain',
      hostname: 'w@spec',
      time_start: 1000,
      acknowledged: true,
      delivery_info: { exchange: '', routing_key: 'spec', priority: 0, redelivered: false },
      worker_pid: process.pid,
    }
    expect(node.answer('active')).toEqual([info])
    expect(node.answer('dump_active')).toEqual([info])
    expect(node.answer('active', { safe: true })).toEqual([{ ...info, args: "('hidden',)", kwargs: '{}' }])
  })

  it('cut the texts of arguments that are far longer than senders make them', () => {
    const [most, more] = ['x'.repeat(16_384), 'x'.repeat(16_385)]
    node.offline.deliver('plain', { args: ['a'], headers: { argsrepr: most, kwargsrepr: more } })
    const kwargs = `${'x'.repeat(16_381)}...`
    expect(node.answer('active', { safe: true })).toMatchObject([{ args: most, kwargs }])
  })

  it('show very long arguments as text', () => {
    const [most, more] = ['x'.repeat(65_536 - '[""]'.length), 'x'.repeat(65_537 - '{"x":""}'.length)]
    const eta = new Date(node.offline.clock.now() + 60_000).toISOString()
    node.offline.deliver('plain', { id: 'a', args: [most], kwargs: { x: more } })
    node.offline.deliver('plain', { id: 'b', args: [`${most}x`], kwargs: { x: more.slice(1) }, headers: { eta } })
    const text = 'x'.repeat(1024)
    const short = { args: [most], kwargs: `{'x': '${text}`.slice(0, 1021).concat('...') }
    expect(node.answer('active')).toMatchObject([short])
    expect(node.answer('query_task', { ids: 'a' })).toMatchObject({ a: ['active', short] })
    expect(node.answer('scheduled')).toMatchObject([
      { request: { args: `('${text}`.slice(0, 1021).concat('...'), kwargs: { x: more.slice(1) } } },
    ])
  })

  it('show what is acknowledged late as not acknowledged', () => {
    node.offline.deliver('late', { args: ['a'] })
    expect(node.answer('active')).toMatchObject([{ acknowledged: false }])
  })

  it('call reserved what waits for a slot, its order or its rate, and say for what', () => {
    node.offline.deliver('slow', { id: 'first', args: ['first'] })
    node.offline.deliver('slow', { id: 'rate', args: ['rate'] })
    node.offline.deliver('keyed', { id: 'head', args: ['head'], kwargs: { key: 'k' } })
    node.offline.deliver('keyed', { id: 'order', args: ['order'], kwargs: { key: 'k' } })
    node.offline.deliver('plain', { id: 'slot', args: ['slot'] })
    expect(idsOf('active')).toEqual(['first', 'head'])
    expect(idsOf('reserved')).toEqual(['rate', 'order', 'slot'])
    node.offline.clock.advance(500)
    expect(node.answer('parked')).toEqual([
      { id: 'rate', name: 'slow', waits_for: 'rate', key: null, age: 0.5 },
      { id: 'order', name: 'keyed', waits_for: 'order', key: 'k', age: 0.5 },
    ])
    expect(node.answer('reserved')).toMatchObject([{ time_start: null, worker_pid: null }, {}, {}])
    expect(node.answer('scheduled')).toEqual([])
  })

  it('call scheduled what waits for its time or its next try', async () => {
    const eta = new Date(node.offline.clock.now() + 60_000).toISOString().replace('Z', '624+00:00')
    node.offline.deliver('plain', { id: 'eta', args: ['eta'], headers: { eta } })
    node.offline.deliver('keyed', { id: 'again', args: ['again'], kwargs: { key: 'k' } })
    gated.fail('again', new Retry({ countdown: 5 }))
    await node.offline.turn()
    expect(node.answer('scheduled')).toMatchObject([
      { eta, priority: 6, request: { id: 'eta', time_start: null } },
      { eta: null, priority: 6, request: { id: 'again' } },
    ])
    expect(idsOf('reserved')).toEqual([])
    expect(idsOf('active')).toEqual([])
  })

  it('find tasks by id wherever they stand, and leave out unknown ones', () => {
    const eta = new Date(node.offline.clock.now() + 60_000).toISOString()
    node.offline.deliver('plain', { id: 'eta', headers: { eta } })
    for (const id of ['a', 'b', 'c']) node.offline.deliver('plain', { id, args: [id] })
    const found = node.answer('query_task', { ids: ['a', 'c', 'eta', 'nobody'] }) as Record<string, [string, Info]>
    expect(Object.entries(found).map(([id, [standing, info]]) => [id, standing, info.id])).toEqual([
      ['eta', 'scheduled', 'eta'],
      ['a', 'active', 'a'],
      ['c', 'reserved', 'c'],
    ])
    expect(Object.keys(node.answer('query_task', { ids: 'b' }) as object)).toEqual(['b'])
    expect(node.answer('query_task')).toEqual({})
  })

  it('show arguments that are beyond JSON as Python would', () => {
    const delivery = node.offline.deliver('plain', { id: 'big', args: ['x'] })
    expect(delivery.settledBy).toBe('ack')
    const [request] = node.offline.line.state.running
    if (request) request.args = [2n ** 60n, new Map([['a', 1]])]
    expect(node.answer('active')).toMatchObject([{ args: "(1152921504606846976, {'a': 1})" }])
    if (request) request.args = [2n ** 60n + 1n]
    expect(node.answer('active')).toMatchObject([{ args: [2n ** 60n + 1n] }])
  })

  it('list revoked ids, oldest first', () => {
    node.answer('revoke', { task_id: ['b', 'a'] })
    expect(node.answer('revoked')).toEqual(['b', 'a'])
    expect(node.answer('dump_revoked')).toEqual(['b', 'a'])
  })
})
