import { describe, expect, it } from '@jest/globals'
import { encodeException } from '../../lib/protocol/exception.js'
import {
  decodeResult,
  type ExtendedResult,
  encodeReply,
  encodeResult,
  resultMeta,
  taskTuple,
} from '../../lib/protocol/result.js'
import { DecodeError, EncodeError } from '../../lib/protocol/resultText.js'

const NOW = Date.UTC(2026, 10, 24, 8, 47, 48, 964)
const EXTENDED: ExtendedResult = {
  name: 'tasks.add',
  args: [2, 3],
  kwargs: {},
  worker: 'w1@h',
  retries: 0,
  queue: 'celery',
}
const meta = (status: string, result: unknown, more = {}) => resultMeta({ taskId: 'id1', status, result, ...more }, NOW)

describe('encodeResult', () => {
  it('writes a success as Celery does', () => {
    expect(encodeResult(meta('SUCCESS', 5))).toBe(
      '{"status":"SUCCESS","result":5,"traceback":null,"children":[],"date_done":"2026-11-24T08:47:48.964000+00:00","task_id":"id1"}',
    )
  })

  it('writes a failure with its group and parent', () => {
    const more = { traceback: 'tb', groupId: 'g', parentId: 'p' }
    expect(encodeResult(meta('FAILURE', encodeException(new RangeError('boom')), more))).toBe(
      '{"status":"FAILURE","result":{"exc_type":"ValueError","exc_message":["boom"],"exc_module":"builtins"},"traceback":"tb",' +
        '"children":[],"date_done":"2026-11-24T08:47:48.964000+00:00","group_id":"g","parent_id":"p","task_id":"id1"}',
    )
  })

  it('writes a retry undated, with the task itself as its child', () => {
    expect(encodeResult(meta('RETRY', null, { children: [taskTuple('id1')] }))).toBe(
      '{"status":"RETRY","result":null,"traceback":null,"children":[[["id1",null],null]],"date_done":null,"task_id":"id1"}',
    )
  })

  it('writes what result_extended adds between the parent and the id, stamps last', () => {
    const stamped = { ...EXTENDED, stampedHeaders: ['customer'], stamps: { customer: 'c1' } }
    const text = encodeResult(meta('SUCCESS', 5, { extended: stamped, parentId: 'p' }))
    expect(Object.keys(JSON.parse(text))).toEqual(
      `status result traceback children date_done parent_id name args kwargs worker retries queue stamped_headers customer task_id`.split(
        ' ',
      ),
    )
    expect(JSON.parse(text)).toMatchObject({
      args: [2, 3],
      queue: 'celery',
      stamped_headers: ['customer'],
      customer: 'c1',
    })
  })

  for (const status of ['SUCCESS', 'FAILURE', 'REVOKED']) {
    it(`dates ${status}`, () => expect(meta(status, null).dateDone).toBe(NOW))
  }
  for (const status of ['STARTED', 'RETRY', 'PROGRESS', 'PENDING']) {
    it(`does not date ${status}`, () => expect(meta(status, null).dateDone).toBeNull())
  }

  it('keeps microseconds, always as six digits', () => {
    const text = encodeResult(
      resultMeta({ taskId: 'id1', status: 'SUCCESS', result: null }, Date.UTC(2026, 0, 1) + 0.25),
    )
    expect(JSON.parse(text).date_done).toBe('2026-01-01T00:00:00.000250+00:00')
  })

  it('writes integers of any size, and what kombu has a wrapper for', () => {
    expect(encodeResult(meta('SUCCESS', [2n ** 60n, new Date(NOW)]))).toContain(
      '"result":[1152921504606846976,{"__type__":"datetime","__value__":"2026-11-24T08:47:48.964',
    )
  })

  it('writes a task that returned nothing as null', () => {
    expect(encodeResult(meta('SUCCESS', undefined))).toContain('"result":null')
  })

  const lossy: Array<[what: string, value: unknown]> = [
    ['NaN', { deep: [Number.NaN] }],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
  ]
  for (const [what, value] of lossy) {
    it(`refuses ${what} rather than write something else`, () => {
      expect(() => encodeResult(meta('SUCCESS', value))).toThrow(EncodeError)
      expect(() => encodeReply(meta('SUCCESS', value))).toThrow(EncodeError)
    })
  }

  it("is refused with an error that Python knows as kombu's", () => {
    let caught: unknown
    try {
      encodeResult(meta('SUCCESS', Number.NaN))
    } catch (thrown) {
      caught = thrown
    }
    expect(encodeException(caught as Error)).toEqual({
      exc_type: 'EncodeError',
      exc_message: [expect.stringMatching(/^TypeError\('NaN /)],
      exc_module: 'kombu.exceptions',
    })
  })
})

describe('encodeReply', () => {
  it('writes the five keys of rpc, in their order', () => {
    expect(encodeReply(meta('SUCCESS', 5, { groupId: 'g', extended: EXTENDED }))).toBe(
      '{"task_id":"id1","status":"SUCCESS","result":5,"traceback":null,"children":[]}',
    )
  })
})

describe('decodeResult', () => {
  it('reads back what encodeResult wrote', () => {
    const stamped = { ...EXTENDED, stampedHeaders: ['customer'], stamps: { customer: 'c1' } }
    for (const one of [
      meta('SUCCESS', { a: [1] }),
      meta('FAILURE', encodeException(new Error('boom')), { traceback: 'tb', groupId: 'g', parentId: 'p' }),
      meta('SUCCESS', 1, { extended: EXTENDED, children: [taskTuple('c', taskTuple('d'))] }),
      meta('SUCCESS', 1, { extended: stamped }),
    ]) {
      expect(decodeResult(encodeResult(one))).toEqual(one)
    }
  })

  it('reads a date without an offset, as Celery 5.2 writes it', () => {
    expect(decodeResult('{"status":"SUCCESS","date_done":"2026-11-24T08:47:48.964000"}').dateDone).toBe(NOW)
  })

  it('reads the reply of rpc', () => {
    expect(decodeResult(encodeReply(meta('SUCCESS', 5)))).toEqual({ ...meta('SUCCESS', 5), dateDone: null })
  })

  for (const text of ['', 'no json', 'null', '5', '[]', '{}', '{"status":5}']) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(() => decodeResult(text)).toThrow(DecodeError))
  }
})
