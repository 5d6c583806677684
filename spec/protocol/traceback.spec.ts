import { describe, expect, it } from '@jest/globals'
import { traceback } from '../../lib/protocol/traceback.js'
import { growthOf } from '../support/growth.js'

function errorWith(stack: string, error = new RangeError('boom')): Error {
  error.stack = stack
  return error
}

describe('traceback', () => {
  it('writes the frames as Python does, the most recent last', () => {
    const stack = [
      'RangeError: boom',
      '    at fail (file:///app/tasks.js:3:9)',
      '    at async Object.<anonymous> (/app/a b.js:10:1)',
      '    at /app/other.js:20:5',
      '    at new Build (/app/build.js:7:1)',
      '    at native',
    ].join('\n')
    expect(traceback(errorWith(stack))).toBe(
      [
        'Traceback (most recent call last):',
        '  at native',
        '  File "/app/build.js", line 7, in new Build',
        '  File "/app/other.js", line 20, in <anonymous>',
        '  File "/app/a b.js", line 10, in Object.<anonymous>',
        '  File "/app/tasks.js", line 3, in fail',
        'ValueError: boom\n',
      ].join('\n'),
    )
  })

  it('takes no line of the message for a frame', () => {
    const text = traceback(errorWith('RangeError: boom\n    at sea\nstill boom\n    at fail (/app/tasks.js:3:9)'))
    expect(text).toBe('Traceback (most recent call last):\n  File "/app/tasks.js", line 3, in fail\nValueError: boom\n')
  })

  it.each<[string, (size: number) => string]>([
    ['places', (size) => `    at ${':1'.repeat(size)}x`],
    ['brackets', (size) => `    at f ${' ('.repeat(size)})`],
    ['space', (size) => `${' '.repeat(size)}x`],
  ])('takes no longer than a line of the message is long: %s', (_what, lineOf) => {
    const run = (line: string): string => traceback(errorWith(`Error: x\n${line}`))
    expect(growthOf(run, lineOf, 100_000)).toBeLessThan(4)
  })

  it('shows where a real error came from', () => {
    function failing(): never {
      throw new Error('really')
    }
    let caught: unknown
    try {
      failing()
    } catch (thrown) {
      caught = thrown
    }
    const lines = traceback(caught as Error)
      .trimEnd()
      .split('\n')
    expect(lines.at(-1)).toBe('Exception: really')
    expect(lines.at(-2)).toMatch(/^ {2}File ".*traceback\.spec\.ts", line \d+, in failing$/)
  })

  it('puts the causes first', () => {
    const root = errorWith('', new Error('root'))
    const middle = errorWith('', new TypeError('middle', { cause: root }))
    const top = errorWith('', new Error('', { cause: middle }))
    expect(traceback(top)).toBe(
      [
        'Traceback (most recent call last):\nException: root\n',
        'Traceback (most recent call last):\nTypeError: middle\n',
        'Traceback (most recent call last):\nException\n',
      ].join('\nThe above exception was the direct cause of the following exception:\n\n'),
    )
  })

  it('comes to an end when errors are causes of each other', () => {
    const first = errorWith('', new Error('first'))
    const second = errorWith('', new Error('second', { cause: first }))
    first.cause = second
    expect(traceback(second).match(/Exception: /g)).toHaveLength(2)
  })

  it('does without a stack', () => {
    expect(traceback(Object.assign(new Error('boom'), { stack: undefined }))).toBe(
      'Traceback (most recent call last):\nException: boom\n',
    )
  })
})
