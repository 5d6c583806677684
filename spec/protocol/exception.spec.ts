import vm from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { MaxRetriesExceededError } from '../../lib/app/predicate.js'
import { BrokerError } from '../../lib/errors.js'
import { decodeException, encodeException, messageOf } from '../../lib/protocol/exception.js'
import { EncodeError } from '../../lib/protocol/resultText.js'

class AxiosError extends Error {
  override readonly name = 'AxiosError'
}
class NoName extends TypeError {}
class KeyError extends Error {}
class Named extends Error {
  static readonly excType = 'BuildNotFound'
  static readonly excModule = 'packit.errors'
}
class Heir extends Named {}
class OnlyType extends Error {
  static readonly excType = 'LookupError'
}
class OnlyModule extends Error {
  static readonly excModule = 'packit.errors'
}
const withFields = (fields: object, message = 'boom'): Error => Object.assign(new Error(message), fields)

const cases: Array<[what: string, error: Error, type: string, module: string | null]> = [
  ['an Error', new Error('boom'), 'Exception', 'builtins'],
  ['a TypeError', new TypeError('boom'), 'TypeError', 'builtins'],
  ['a RangeError', new RangeError('boom'), 'ValueError', 'builtins'],
  ['a ReferenceError', new ReferenceError('boom'), 'NameError', 'builtins'],
  ['a SyntaxError', new SyntaxError('boom'), 'ValueError', 'builtins'],
  ['a URIError', new URIError('boom'), 'ValueError', 'builtins'],
  ['a TypeError of another realm', vm.runInNewContext("new TypeError('boom')"), 'TypeError', 'builtins'],
  ['a class with a name', new AxiosError('boom'), 'AxiosError', 'js'],
  ['a class that sets no name', new NoName('boom'), 'NoName', 'js'],
  ['an error that was given a name', withFields({ name: 'Custom' }), 'Custom', 'js'],
  ['a DOMException of a time-out', new DOMException('boom', 'TimeoutError'), 'TimeoutError', 'builtins'],
  ['an aborted call', new DOMException('boom', 'AbortError'), 'AbortError', 'js'],
  ['a class named as one of Python', new KeyError('boom'), 'KeyError', 'builtins'],
  ["one of Celeriac's own", new BrokerError('boom'), 'BrokerError', 'js'],
  ['static names', new Named('boom'), 'BuildNotFound', 'packit.errors'],
  ['inherited static names', new Heir('boom'), 'BuildNotFound', 'packit.errors'],
  ['a static type alone', new OnlyType('boom'), 'LookupError', 'builtins'],
  ['a static module alone', new OnlyModule('boom'), 'OnlyModule', 'packit.errors'],
  ['names of the error itself', withFields({ excType: 'A.B', excModule: 'm' }), 'A.B', 'm'],
  ['no module on purpose', withFields({ excType: 'A', excModule: null }), 'A', null],
  ['exhausted retries', new MaxRetriesExceededError('boom'), 'MaxRetriesExceededError', 'celery.exceptions'],
  ['a result that is no JSON', new EncodeError(new TypeError('boom')), 'EncodeError', 'kombu.exceptions'],
]

const celerys = {
  'celery.exceptions':
    'TaskRevokedError MaxRetriesExceededError NotRegistered ChordError Retry Reject Ignore InvalidTaskError',
  'billiard.exceptions': 'TimeLimitExceeded SoftTimeLimitExceeded WorkerLostError Terminated',
}

const unsafe: Array<[type: string, module: string]> = [
  ['eval', 'builtins'],
  ['int', 'builtins'],
  ['SystemExit', 'builtins'],
  ['KeyboardInterrupt', 'builtins'],
  ['WorkerShutdown', 'celery.exceptions'],
  ['AxiosError', 'celery.exceptions'],
  ['sys', 'billiard.exceptions'],
  ['constructor', 'kombu.exceptions'],
]

describe('encodeException', () => {
  for (const [what, error, type, module] of cases) {
    it(`writes ${what} as ${type} of ${module}`, () => {
      expect(encodeException(error)).toMatchObject({ exc_type: type, exc_module: module })
    })
  }

  for (const [module, types] of Object.entries(celerys)) {
    for (const type of types.split(' ')) {
      it(`knows ${type} as one of ${module}`, () => {
        expect(encodeException(withFields({ name: type }))).toEqual({
          exc_type: type,
          exc_message: ['boom'],
          exc_module: module,
        })
      })
    }
  }

  for (const [excType, excModule] of unsafe) {
    it(`never names ${excModule}.${excType}, which is no exception to raise at a client`, () => {
      expect(encodeException(withFields({ excType, excModule }))).toMatchObject({ exc_type: excType, exc_module: 'js' })
    })
  }

  it('writes the keys in the order of Celery', () => {
    expect(JSON.stringify(encodeException(new Error('boom')))).toBe(
      '{"exc_type":"Exception","exc_message":["boom"],"exc_module":"builtins"}',
    )
  })

  it('writes no argument for an error without a message', () => {
    expect(encodeException(new Error()).exc_message).toEqual([])
  })

  it('writes the arguments of an error that has some', () => {
    expect(encodeException(withFields({ args: ['boom', 42, null] })).exc_message).toEqual(['boom', 42, null])
  })

  it('writes the repr of an argument that is no JSON, and keeps the others', () => {
    const circle: unknown[] = []
    circle.push(circle)
    expect(encodeException(withFields({ args: [1, 2n ** 70n, circle, Number.NaN, () => 1] })).exc_message).toEqual([
      1,
      1180591620717411303424n,
      '[[...]]',
      'nan',
      '<function>',
    ])
  })
})

describe('decodeException', () => {
  it('has the name, the arguments and the text of the exception', () => {
    const error = decodeException({ exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'ValueError',
      message: "('boom', 42)",
      excType: 'ValueError',
      excModule: 'builtins',
      args: ['boom', 42],
    })
  })

  const texts: Array<[args: unknown, text: string]> = [
    [['boom'], 'boom'],
    [[], ''],
    [[{ a: 1 }], "{'a': 1}"],
    ['boom', 'boom'],
    [undefined, ''],
  ]
  for (const [exc_message, text] of texts) {
    it(`reads the message ${JSON.stringify(exc_message)} as ${JSON.stringify(text)}`, () => {
      expect(decodeException({ exc_type: 'E', exc_message, exc_module: null }).message).toBe(text)
    })
  }

  for (const value of [null, 'text', 5, [], { exc_type: 5 }]) {
    it(`makes an error of ${JSON.stringify(value)}, which is no exception`, () => {
      expect(decodeException(value)).toMatchObject({ name: 'Exception', excModule: 'builtins' })
    })
  }

  for (const dict of [
    { exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' },
    { exc_type: 'Outer.Inner', exc_message: [], exc_module: 'app.errors' },
    { exc_type: 'Odd', exc_message: [null], exc_module: null },
  ]) {
    it(`comes out again as ${dict.exc_type} when it is thrown in a task`, () => {
      expect(encodeException(decodeException(dict))).toEqual(dict)
    })
  }

  it('does not hand on a name that only an attacker would write', () => {
    const error = decodeException({ exc_type: 'eval', exc_message: ['1'], exc_module: 'builtins' })
    expect(encodeException(error).exc_module).toBe('js')
  })
})

describe('messageOf', () => {
  it("is Python's str(exc)", () => {
    expect(messageOf(new Error('boom'))).toBe('boom')
    expect(messageOf(withFields({ args: [1] }))).toBe('1')
    expect(messageOf(withFields({ args: ['a', 1] }))).toBe("('a', 1)")
  })
})
