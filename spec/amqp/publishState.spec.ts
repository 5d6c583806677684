import { describe, expect, it } from '@jest/globals'
import { PublishState } from '../../lib/broker/publishState.js'

describe('PublishState', () => {
  it('is closed until something is wrong, and again when nothing is any more', () => {
    const state = new PublishState()
    const changes: string[] = []
    state.onChange((to) => changes.push(to))
    expect([state.state, state.opens, state.lastError]).toEqual(['closed', 0, null])
    state.begin('lost', new Error('connect ECONNREFUSED'))
    state.begin('lost', new Error('connect ECONNREFUSED again'))
    state.begin('blocked', new Error('low on memory'))
    expect([state.state, state.opens, state.lastError]).toEqual(['open', 1, 'low on memory'])
    state.end('lost')
    expect(state.state).toBe('open')
    state.end('blocked')
    state.end('blocked')
    expect([state.state, state.opens, state.lastError]).toEqual(['closed', 1, 'low on memory'])
    expect(changes).toEqual(['open', 'closed'])
  })

  it('tells no more changes to one who has left', () => {
    const state = new PublishState()
    const changes: string[] = []
    state.onChange((to) => changes.push(to))()
    state.begin('lost', new Error('away'))
    expect(changes).toEqual([])
  })
})
