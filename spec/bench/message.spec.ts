import { describe, expect, it } from '@jest/globals'
import { taskMessage } from './message.js'

describe('a message of the bench', () => {
  it('is one of protocol 2, as Python sends them', () => {
    const { content, properties } = taskMessage('bench.noop', [1, 'a'], { key: 'k' })
    expect(JSON.parse(content.toString())).toEqual([
      [1, 'a'],
      { key: 'k' },
      { callbacks: null, errbacks: null, chain: null, chord: null },
    ])
    expect(properties).toMatchObject({ contentType: 'application/json', contentEncoding: 'utf-8', persistent: true })
    expect(properties.headers).toMatchObject({ lang: 'py', task: 'bench.noop', argsrepr: "[1,'a']", retries: 0 })
    expect(properties.headers?.id).toBe(properties.correlationId)
    expect(properties).not.toHaveProperty('replyTo')
  })

  it('has an id of its own', () => {
    expect(taskMessage('t', [], {}).properties.correlationId).not.toBe(
      taskMessage('t', [], {}).properties.correlationId,
    )
  })

  it('writes the time before which it must not run as Python does, and null without one', () => {
    const eta = new Date('2026-01-02T03:04:05.678Z')
    expect(taskMessage('t', [], {}, { eta }).properties.headers?.eta).toBe('2026-01-02T03:04:05.678Z')
    expect(taskMessage('t', [], {}).properties.headers?.eta).toBeNull()
  })

  it('has no more of large arguments in its headers than Python has', () => {
    const { content, properties } = taskMessage('t', ['x'.repeat(5000)], {})
    expect(properties.headers?.argsrepr).toHaveLength(1024)
    expect(content.length).toBeGreaterThan(5000)
  })

  it('names where replies go', () => {
    expect(taskMessage('t', [], {}, { replyTo: 'replies' }).properties.replyTo).toBe('replies')
  })
})
