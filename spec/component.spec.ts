import { describe, expect, it } from '@jest/globals'
import { Blueprint, type Component } from '../lib/component.js'

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
})
