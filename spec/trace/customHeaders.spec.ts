import { describe, expect, it } from '@jest/globals'
import { encodeTask } from '../../lib/protocol/encode.js'
import { customHeaders } from '../../lib/trace/customHeaders.js'

describe('customHeaders', () => {
  it('leaves nothing of what every message has', () => {
    const route = { exchange: '', routingKey: 'q', priority: 0 }
    const { properties } = encodeTask({
      id: 'a',
      task: 't',
      args: [],
      kwargs: {},
      route,
      eta: null,
      expires: null,
      rootId: 'a',
      parentId: null,
      replyTo: 'r',
      headers: { tenant: 't1', 'x-delay': 5 },
    })
    expect(customHeaders(properties.headers ?? {})).toEqual({ tenant: 't1', 'x-delay': 5 })
  })
})
