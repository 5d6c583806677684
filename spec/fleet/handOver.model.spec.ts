import { describe, expect, it } from '@jest/globals'
import { search } from './model/search.js'
import type { WorldOptions } from './model/world.js'

const NEVER = { assign: 0, crash: 0, freeze: 0, cut: 0 }

function options(budget: Partial<WorldOptions['budget']>, keys: readonly string[] = ['a', 'b', 'a']): WorldOptions {
  return { handOver: 'drain and close', keys, prefetch: 2, budget: { ...NEVER, ...budget } }
}

describe('the hand-over of a lane, in every order in which things can happen', () => {
  it.each([
    ['a lane that goes to and fro', { assign: 4 }],
    ['a crash of either worker', { assign: 3, crash: 1 }],
    ['a worker that is frozen for longer than the heartbeat, and goes on', { assign: 3, freeze: 1 }],
    ['a connection that is lost', { assign: 3, cut: 1 }],
    ['a connection that is lost, and a crash', { assign: 2, cut: 1, crash: 1 }],
  ])('never runs two messages of a key at once or out of order: %s', (_, budget) => {
    const found = search(options(budget))
    expect(found.fault).toBeNull()
    expect(found.stuck).toBe(0)
    expect(found.states).toBeGreaterThan(1000)
    expect(found.finished).toBeGreaterThan(0)
  })

  it.each([
    ['cancelling and giving back', 'cancel and nack', 'the broker gets cancel of A'],
    ['closing while something runs', 'close at once', 'the broker gets close of A'],
  ] as const)('finds the fault of a hand-over by %s', (_, handOver, cause) => {
    const { fault } = search({ ...options({ assign: 3 }), handOver })
    expect(fault?.what).toMatch(/starts while|starts before|gone for good before/)
    expect(fault?.history).toContain(cause)
  })
})
