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

  it('names where replies go', () => {
    expect(taskMessage('t', [], {}, { replyTo: 'replies' }).properties.replyTo).toBe('replies')
  })
})
