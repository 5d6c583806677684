import { describe, expect, it } from '@jest/globals'
import { packError, unpackError } from '../../lib/executors/messages.js'
import { traceback } from '../../lib/protocol/traceback.js'

class RefusedError extends Error {
  static readonly excModule = 'net'
}

describe('an error on its way out of a child', () => {
  const received = (error: Error): Error => unpackError(structuredClone(packError(error)))

  it('keeps its causes, as the traceback of the result shows them', () => {
    const error = new TypeError('fetch failed', {
      cause: new RangeError('no address', { cause: new RefusedError('no') }),
    })
    expect(traceback(error)).toContain('RefusedError: no')
    expect(traceback(received(error))).toBe(traceback(error))
  })

  it('may be its own cause', () => {
    const error = new Error('round')
    error.cause = error
    expect(traceback(received(error))).toBe(traceback(error))
  })
})
