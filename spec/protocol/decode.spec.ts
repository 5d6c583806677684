import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BadMessage } from '../../lib/protocol/badMessage.js'
import type { ContentLimits } from '../../lib/protocol/content.js'
import { decode } from '../../lib/protocol/decode.js'
import { MUTATIONS } from '../support/malformed.js'
import { taskMessage } from '../support/message.js'

const LIMITS: ContentLimits = { accept: ['json'], maxSize: 65_536, maxNesting: 200 }

function reasonOf(properties: Parameters<typeof decode>[0], content: Buffer, limits = LIMITS): string {
  try {
    decode(properties, content, limits)
  } catch (thrown) {
    if (thrown instanceof BadMessage) return thrown.reason
    throw thrown
  }
  return 'none'
}

describe('decode', () => {
  it('reads what a Python client sends', () => {
    const { properties, content } = taskMessage('app1.add', {
      id: 'ffa2',
      args: [2, 3],
      kwargs: { z: 'é' },
      headers: {
        shadow: 'nick',
        eta: '2026-11-24T08:45:11.995624+00:00',
        expires: '2026-11-24T08:46:01.995624+00:00',
        retries: 2,
        timelimit: [30, 20],
        root_id: 'aaaa',
        parent_id: 'bbbb',
        'my-header': 'x',
      },
    })
    const message = decode(properties, content, LIMITS)
    expect(message).toMatchObject({
      id: 'ffa2',
      task: 'app1.add',
      shadow: 'nick',
      args: [2, 3],
      kwargs: { z: 'é' },
      embed: { callbacks: null, errbacks: null, chain: null, chord: null },
      retries: 2,
      timelimit: [30, 20],
      rootId: 'aaaa',
      parentId: 'bbbb',
    })
    expect(message.eta).toBeCloseTo(Date.UTC(2026, 10, 24, 8, 45, 11, 995) + 0.624, 2)
    expect(message.headers['my-header']).toBe('x')
  })

  it('takes a message with nothing but its task and id in the headers', () => {
    const { content, properties } = taskMessage('a.b')
    const message = decode({ ...properties, headers: { task: 'a.b', id: 'x' } }, content, LIMITS)
    expect(message).toMatchObject({ rootId: 'x', parentId: null, retries: 0, eta: null, timelimit: [null, null] })
  })

  it.each(['{}', 'null'])('takes %s for an embed', (embed) => {
    const { properties } = taskMessage('a.b')
    expect(decode(properties, Buffer.from(`[[], {}, ${embed}]`), LIMITS).embed.chain).toBeNull()
  })

  it.each([
    ['no id', 'missing-id'],
    ['no task', 'unknown-message'],
    ['number for a task', 'invalid-header'],
    ['no content type', 'missing-content-type'],
    ['pickle', 'refused-content'],
    ['unknown compression', 'undecodable'],
    ['no JSON', 'undecodable'],
    ['bad charset', 'undecodable'],
    ['empty body', 'undecodable'],
    ['two parts', 'invalid-body'],
    ['object args', 'invalid-body'],
    ['garbage for an eta', 'invalid-time'],
    ['impossible eta', 'invalid-time'],
    ['deep body', 'too-deep'],
    ['very deep body', 'too-deep'],
    ['huge body', 'too-large'],
  ])('refuses a message with %s as %s', (kind, reason) => {
    const { properties, content } = taskMessage('spec.ok', { args: [1] })
    const bad = MUTATIONS[kind]?.({ properties, content }, 3)
    if (!bad) throw new Error(`no mutation ${kind}`)
    expect(reasonOf(bad.properties, bad.content)).toBe(reason)
  })

  it('acknowledges what it cannot decode and nothing else, as Celery does', () => {
    expect(new BadMessage('undecodable', '').acknowledged).toBe(true)
    expect(new BadMessage('invalid-body', '').acknowledged).toBe(false)
  })

  it('says at the producer what pickle is to be replaced with', () => {
    const { properties, content } = taskMessage('a.b')
    expect(() => decode({ ...properties, contentType: 'application/x-python-serialize' }, content, LIMITS)).toThrow(
      /task_serializer = 'json' at the producer/,
    )
  })

  it('never throws anything but a BadMessage, whatever the bytes and the headers', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue())
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('task', 'id', 'eta', 'expires', 'retries', 'timelimit', 'root_id', 'compression'),
          value,
        ),
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        fc.constantFrom('application/json', undefined, 'text/plain'),
        (headers, bytes, contentType) => {
          expect(typeof reasonOf({ headers, contentType }, Buffer.from(bytes))).toBe('string')
        },
      ),
      { numRuns: 2000 },
    )
  })
})
