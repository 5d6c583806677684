import { describe, expect, it } from '@jest/globals'
import { queues, routes } from '../../lib/settings/routing.js'

describe('task_queues', () => {
  it('is an array of queues or names, a map by name, or JSON', () => {
    expect(queues(['a', { name: 'b', routing_key: 'k', durable: false }])).toEqual([
      { name: 'a' },
      { name: 'b', routing_key: 'k', durable: false },
    ])
    expect(queues({ a: { exchange: 'x', exchange_type: 'topic' }, b: {} })).toEqual([
      { name: 'a', exchange: 'x', exchange_type: 'topic' },
      { name: 'b' },
    ])
    expect(queues('["a"]')).toEqual([{ name: 'a' }])
  })

  it('takes the arguments under either name', () => {
    const expected = [{ name: 'a', queue_arguments: { 'x-max-length': 5 } }]
    expect(queues([{ name: 'a', arguments: { 'x-max-length': 5 } }])).toEqual(expected)
    expect(queues([{ name: 'a', queue_arguments: { 'x-max-length': 5 } }])).toEqual(expected)
  })

  it('leaves out fields that are null', () => {
    expect(queues([{ name: 'a', exchange: null }])).toEqual([{ name: 'a' }])
  })

  it.each([
    ['a,b', 'expected queues, as an array, a map or its JSON text'],
    [[{ name: 'a', max_priority: 300 }], 'queue 1: max_priority: expected a whole number from 0 to 255'],
    [['a', { routing_key: 'k' }], 'queue 2: expected a text'],
    [[{ name: 'a', durabel: true }], 'queue 1: a queue has no durabel; expected name, exchange,'],
    [[5], 'queue 1: expected a queue'],
    [['a', 'a'], 'the queue "a" is defined twice'],
  ])('refuses %j', (raw, message) => {
    expect(() => queues(raw)).toThrow(message)
  })
})

describe('task_routes', () => {
  it('maps patterns to queues or routes', () => {
    const map = { 'a.*': 'qa', b: { queue: 'qb', priority: 3 } }
    expect(routes(map)).toEqual([map])
    expect(routes(JSON.stringify(map))).toEqual([map])
  })

  it("is also Celery's array of maps or pairs, in their order", () => {
    expect(routes([{ 'a.b': 'first' }, ['a.*', { queue: 'second' }]])).toEqual([
      { 'a.b': 'first' },
      { 'a.*': { queue: 'second' } },
    ])
    expect(routes(['a.*', 'q'])).toEqual([{ 'a.*': 'q' }])
  })

  it('may hold functions and regular expressions', () => {
    const route = (): string => 'q'
    expect(routes(route)).toEqual([route])
    expect(routes([route, [/^a/g, 'q']])).toEqual([route, [/^a/g, 'q']])
  })

  it.each([
    ['feeds', 'expected patterns of task names with their routes, as an object or its JSON text'],
    [{ a: { queu: 'x' } }, '"a": a route has no queu; expected queue, exchange, routing_key, priority'],
    [['a', { b: 5 }], '"a": a route has no b; expected queue'],
    [[{}, [/a/, 5]], 'route 2: expected a route'],
    [[{}, 5], 'route 2: expected patterns of task names with their routes'],
    [{ a: 5 }, '"a": expected a route'],
  ])('refuses %j', (raw, message) => {
    expect(() => routes(raw)).toThrow(message)
  })
})
