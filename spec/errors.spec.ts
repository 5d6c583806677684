import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { coerceError, textOf } from '../lib/errors.js'
import { exceptionRepr } from '../lib/protocol/event.js'
import { encodeException } from '../lib/protocol/exception.js'
import { repr } from '../lib/protocol/repr.js'
import { traceback } from '../lib/protocol/traceback.js'
import { ODDITIES } from './support/oddities.js'

describe('coerceError', () => {
  it.each(Object.entries(ODDITIES))('makes an error that can be read of %s', (_what, make) => {
    const error = coerceError(make())
    expect(error).toBeInstanceOf(Error)
    expect(typeof error.message).toBe('string')
    expect(typeof error.name).toBe('string')
    expect(typeof error.stack).toBe('string')
    expect(typeof traceback(error)).toBe('string')
    expect(typeof repr(error)).toBe('string')
    expect(typeof exceptionRepr(error)).toBe('string')
    expect(JSON.stringify(encodeException(error)).length).toBeLessThan(70_000)
  })

  it('leaves an error as it is that can be read', () => {
    const error = new RangeError('far', { cause: 5 })
    expect(coerceError(error)).toBe(error)
  })

  it('keeps the class and what can be read of an error that throws', () => {
    class OwnError extends Error {
      override name = 'OwnError'
      readonly args = ['a', 1]
    }
    const error = Object.defineProperty(new OwnError('text'), 'cause', {
      get() {
        throw new Error('no')
      },
    })
    expect(coerceError(error)).toBeInstanceOf(OwnError)
    expect(encodeException(coerceError(error))).toEqual({
      exc_type: 'OwnError',
      exc_message: ['a', 1],
      exc_module: 'js',
    })
    expect(coerceError(error).stack).toContain('errors.spec')
  })

  it.each([
    [{ code: 5 }, '{ code: 5 }'],
    [{ toString: () => 'quota exceeded' }, 'quota exceeded'],
    [Object.create(null), '[Object: null prototype] {}'],
    [Symbol('odd'), 'Symbol(odd)'],
    [undefined, 'undefined'],
  ])('shows what was thrown: %p', (thrown, text) => {
    expect(coerceError(thrown).message).toBe(`a non-error was thrown: ${text}`)
  })

  it('takes a text for what it is', () => {
    expect(coerceError('no luck').message).toBe('no luck')
  })
})

describe('textOf', () => {
  it('runs no code of the value but its toString', () => {
    const asked: string[] = []
    const value = {
      get field() {
        asked.push('getter')
        return 1
      },
      [inspect.custom]: () => asked.push('inspect'),
    }
    expect(textOf(value)).toContain('field')
    expect(asked).toEqual([])
  })

  it('is bounded', () => {
    expect(textOf('x'.repeat(100_000)).length).toBeLessThan(10_010)
  })
})
