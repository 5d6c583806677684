import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BadMessage } from '../../lib/protocol/badMessage.js'
import type { ContentLimits } from '../../lib/protocol/content/content.js'
import { decode, isProtocol2, oddHeaders } from '../../lib/protocol/decode.js'
import { MUTATIONS } from '../support/malformed.js'
import { taskMessage } from '../support/message.js'

const LIMITS: ContentLimits = { accept: ['json'], maxSize: 65_536, maxNesting: 200, maxHeaders: 1000 }

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
    ['[null, null, null]', 2],
    ['[null, {}, {"callbacks": null}]', 2],
    ['[[], null, null]', 2],
    ['{"task": "a.b", "id": "x", "args": null, "kwargs": null}', 1],
    ['{"task": "a.b", "id": "x"}', 1],
  ])('takes %s, as clients write it that have no arguments', (body, protocol) => {
    const { properties } = taskMessage('a.b')
    const headers = protocol === 1 ? {} : properties.headers
    expect(decode({ ...properties, headers }, Buffer.from(body), LIMITS)).toMatchObject({ args: [], kwargs: {} })
  })

  it.each([5, true, ['x'], { a: 'x' }, Buffer.from('x'), 1n])(
    'takes %p in headers that no run needs for absent, and leaves them in the headers',
    (odd) => {
      const names = ['shadow', 'root_id', 'parent_id', 'group', 'argsrepr', 'kwargsrepr']
      const { content, properties } = taskMessage('a.b')
      const headers = { ...properties.headers, id: 'x', ...Object.fromEntries(names.map((name) => [name, odd])) }
      const message = decode({ ...properties, headers }, content, LIMITS)
      expect(message).toMatchObject({
        shadow: null,
        rootId: 'x',
        parentId: null,
        group: null,
        argsrepr: null,
        kwargsrepr: null,
      })
      expect(message.headers).toEqual(headers)
      expect(oddHeaders(headers)).toEqual(names)
      expect(oddHeaders(properties.headers ?? {})).toEqual([])
    },
  )

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
    ['too many headers', 'too-many-headers'],
  ])('refuses a message with %s as %s', (kind, reason) => {
    const { properties, content } = taskMessage('spec.ok', { args: [1] })
    const bad = MUTATIONS[kind]?.({ properties, content }, 3)
    if (!bad) throw new Error(`no mutation ${kind}`)
    expect(reasonOf(bad.properties, bad.content)).toBe(reason)
  })

  it.each([
    ['pickle', { contentType: 'application/x-python-serialize' }, 'undecodable'],
    ['content that is not accepted', { contentType: 'text/plain' }, 'undecodable'],
    ['bytes, which are trusted', { contentType: 'application/data' }, 'unknown-message'],
    ['no content type', { contentType: undefined }, 'unknown-message'],
    ['an unknown compression', { headers: { compression: 'x' } }, 'undecodable'],
  ])('without a header `task`, settles %s as Celery does', (_, properties, reason) => {
    expect(reasonOf({ contentType: 'application/json', headers: {}, ...properties }, Buffer.from('[]'))).toBe(reason)
  })

  it('refuses a body of bytes, on which Python crashes', () => {
    const { properties, content } = taskMessage('a.b')
    expect(reasonOf({ ...properties, contentType: 'application/data' }, content)).toBe('invalid-body')
  })

  it('does not take a wrapped value for a mapping', () => {
    const { properties } = taskMessage('a.b')
    const body = '[[], {"__type__": "bytes", "__value__": "x"}, null]'
    expect(reasonOf(properties, Buffer.from(body))).toBe('invalid-body')
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

describe('decode of protocol 1', () => {
  const BODY = { task: 'app1.add', id: 'v1', args: [2, 3], kwargs: { z: 1 } }
  const decodeV1 = (body: object, headers?: Record<string, unknown>) =>
    decode(
      { contentType: 'application/json', contentEncoding: 'utf-8', headers },
      Buffer.from(JSON.stringify(body)),
      LIMITS,
    )

  it('reads what a Python client sends', () => {
    const link = { task: 'app1.mul', args: [10], kwargs: {}, options: {}, subtask_type: null, immutable: false }
    const message = decodeV1({
      ...BODY,
      group: 'g',
      group_index: 3,
      retries: 1,
      eta: '2026-11-24T08:45:11.995+00:00',
      expires: '2026-11-24T08:46:01',
      utc: true,
      callbacks: [link],
      errbacks: null,
      timelimit: [30, 20],
      taskset: null,
      chord: link,
    })
    expect(message).toMatchObject({
      id: 'v1',
      task: 'app1.add',
      args: [2, 3],
      kwargs: { z: 1 },
      embed: { callbacks: [link], errbacks: null, chain: null, chord: link },
      retries: 1,
      eta: Date.UTC(2026, 10, 24, 8, 45, 11, 995),
      expires: Date.UTC(2026, 10, 24, 8, 46, 1),
      timelimit: [30, 20],
      rootId: 'v1',
      group: 'g',
    })
    expect(message.headers).toMatchObject({ task: 'app1.add', id: 'v1', retries: 1, group: 'g', timelimit: [30, 20] })
    expect(message.headers).not.toHaveProperty('group_index')
    expect(isProtocol2(message.properties)).toBe(false)
  })

  it('takes the least that Celery takes, with no table of headers at all', () => {
    expect(decodeV1({ task: 'a.b', id: 'x', args: [], kwargs: {} })).toMatchObject({
      id: 'x',
      retries: 0,
      eta: null,
      timelimit: [null, null],
    })
  })

  it('lays the headers of the message over those of the body', () => {
    const message = decodeV1({ ...BODY, retries: 1 }, { retries: 4, 'my-header': 'x' })
    expect(message.retries).toBe(4)
    expect(message.headers['my-header']).toBe('x')
  })

  it('takes a taskset for the group if the body has no args', () => {
    expect(decodeV1({ task: 'a.b', id: 'x', taskset: 't' })).toMatchObject({ group: 't', args: [], kwargs: {} })
    expect(decodeV1({ ...BODY, taskset: 't' }).group).toBeNull()
  })

  it('takes a time without an offset for local if the body says `utc: false`', () => {
    const local = new Date(2026, 10, 24, 8, 45, 11, 500)
    const message = decodeV1({
      ...BODY,
      utc: false,
      eta: '2026-11-24T08:45:11.5',
      expires: '2026-11-24T08:46:00+01:00',
    })
    expect(message.eta).toBe(local.getTime())
    expect(message.expires).toBe(Date.UTC(2026, 10, 24, 7, 46))
    expect(message.headers.eta).toBe(local.toISOString())
  })

  it.each<[string, object, string]>([
    ['kwargs that are no mapping', { ...BODY, kwargs: [1] }, 'invalid-body'],

    ['an object for args', { ...BODY, args: { x: 1 } }, 'invalid-body'],
    ['no id', { task: 'a.b', args: [], kwargs: {} }, 'missing-id'],
    ['a number for a task', { ...BODY, task: 1 }, 'invalid-header'],
    ['a bad eta', { ...BODY, eta: 'soon' }, 'invalid-time'],
    ['a long integer for an eta', { ...BODY, eta: 5 }, 'invalid-time'],
    ['text for callbacks', { ...BODY, callbacks: 'x' }, 'invalid-body'],
    ['no task', { id: 'x', args: [], kwargs: {} }, 'unknown-message'],
    ['a list', [BODY], 'unknown-message'],
  ])('refuses %s', (_, body, reason) => {
    const content = Buffer.from(JSON.stringify(body).replace('"eta":5', '"eta":12345678901234567890'))
    expect(reasonOf({ contentType: 'application/json', headers: {} }, content)).toBe(reason)
  })

  it("says Celery's words about kwargs", () => {
    expect(() => decodeV1({ ...BODY, kwargs: 'x' })).toThrow('Task keyword arguments must be a mapping')
  })
})
