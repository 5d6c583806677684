import { describe, expect, it } from '@jest/globals'
import { Blueprint, type Component } from '../lib/component.js'
import { FakeClock } from './support/fakeClock.js'

function recorded(log: string[], name: string, fails: 'start' | 'stop' | null = null): Component {
  return {
    name,
    start: async () => {
      log.push(`start ${name}`)
      if (fails === 'start') throw new Error(`${name} can't start`)
    },
    stop: async () => {
      log.push(`stop ${name}`)
      if (fails === 'stop') throw new Error(`${name} can't stop`)
    },
  }
}

describe('a blueprint', () => {
  it('starts in order and stops in reverse, once however often it is asked', async () => {
    const log: string[] = []
    const blueprint = new Blueprint('b', [recorded(log, 'one'), recorded(log, 'two')])
    await Promise.all([blueprint.start(), blueprint.start()])
    await Promise.all([blueprint.stop(), blueprint.stop()])
    expect(log).toEqual(['start one', 'start two', 'stop two', 'stop one'])
  })

  it('stops what had started when one fails to start, that one included', async () => {
    const log: string[] = []
    const blueprint = new Blueprint('b', [recorded(log, 'one'), recorded(log, 'two', 'start'), recorded(log, 'three')])
    await expect(blueprint.start()).rejects.toThrow("two can't start")
    expect(log).toEqual(['start one', 'start two', 'stop two', 'stop one'])
  })

  it('does not fail to start because it is stopped meanwhile', async () => {
    const log: string[] = []
    let fail: (error: Error) => void = () => undefined
    const loading: Component = {
      ...recorded(log, 'two'),
      start: () => new Promise((_, reject) => (fail = reject)),
      stop: async () => fail(new Error('two was stopped')),
    }
    const blueprint = new Blueprint('b', [recorded(log, 'one'), loading, recorded(log, 'three')])
    const started = blueprint.start()
    await new Promise(setImmediate)
    await blueprint.stop()
    await expect(started).resolves.toBeUndefined()
    expect(log).toEqual(['start one', 'stop one'])
  })

  it('stops the others when one fails to stop, and tells of it', async () => {
    const log: string[] = []
    const blueprint = new Blueprint('b', [recorded(log, 'one'), recorded(log, 'two', 'stop')])
    await blueprint.start()
    await expect(blueprint.stop()).rejects.toThrow('1 component(s) failed to stop')
    expect(log).toEqual(['start one', 'start two', 'stop two', 'stop one'])
  })

  it('may be stopped without ever having been started', async () => {
    await expect(new Blueprint('b', [recorded([], 'one')]).stop()).resolves.toBeUndefined()
  })

  it('goes on without a component that does not stop in time', async () => {
    const log: string[] = []
    const clock = new FakeClock()
    const stuck: Component = { ...recorded(log, 'two'), stop: () => new Promise(() => undefined) }
    const blueprint = new Blueprint('b', [recorded(log, 'one'), stuck, recorded(log, 'three')], { clock, ms: 1000 })
    await blueprint.start()
    const stopped = blueprint.stop()
    await new Promise(setImmediate)
    clock.advance(1000)
    await expect(stopped).rejects.toMatchObject({ errors: [new Error('two did not stop within 1 s')] })
    expect(log.slice(-2)).toEqual(['stop three', 'stop one'])
    expect(clock.pending).toBe(0)
  })
})
