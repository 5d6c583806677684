import { describe, expect, it } from '@jest/globals'
import { decodeControl } from '../../lib/protocol/control.js'
import { decodeEvents } from '../../lib/protocol/event.js'

const request = (args: string): Buffer => Buffer.from(`{"method": "revoke", "arguments": {"task_id": ${args}}}`)
const event = (field: string): Buffer => Buffer.from(`{"type": "worker-x", "hostname": "w@h", "field": ${field}}`)

describe.each([
  ['a control message', (value: string) => decodeControl(request(value)).method, 'revoke'],
  ['an event', (value: string) => decodeEvents(event(value))[0]?.type, 'worker-x'],
] as const)('%s', (_what, read, expected) => {
  it('is read with hundreds of thousands of ids in it', () => {
    expect(read(JSON.stringify(Array.from({ length: 300_000 }, (_, at) => `id-${at}`)))).toBe(expected)
  })

  it.each([
    ['lists by the million', `[${'[],'.repeat(2_000_000)}1]`, 'worker_max_message_items'],
    ['more levels than any has', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'worker_max_message_nesting'],
  ])('is refused with %s, before it is parsed', (_how, value, why) => {
    expect(() => read(value)).toThrow(why)
  })
})
