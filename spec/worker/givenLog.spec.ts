import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { GivenLog } from '../../lib/worker/givenLog.js'

describe("a program's own logger", () => {
  const lines: Array<readonly [string, Record<string, unknown>?]> = []
  const keep = (...line: readonly [string, Record<string, unknown>?]): void => void lines.push(line)
  const log = new GivenLog({ debug: keep, info: keep, warn: keep, error: keep }, 'INFO', ['hunter22'])

  const factsOf = (facts: Record<string, unknown>): Record<string, unknown> => {
    log.error('failed: hunter22', facts)
    const [text, given = {}] = lines.at(-1) ?? ['']
    expect(text).toBe('failed: **')
    return given
  }

  it('gets no secret in a fact, in an error and in its causes', () => {
    const cause = new Error('amqp://me:t0psecret@host is away')
    const error = Object.assign(new RangeError('no hunter22', { cause }), { code: 7 })
    const facts = factsOf({ error, note: 'of hunter22', count: 3 })
    expect(inspect(facts, { depth: 10 })).not.toMatch(/hunter22|t0psecret/)
    expect(facts).toMatchObject({ note: 'of **', count: 3 })
    expect(facts.error).toBeInstanceOf(RangeError)
    expect(facts.error).toMatchObject({ name: 'RangeError', message: 'no **', code: 7 })
    expect(error.message).toBe('no hunter22')
  })

  it('gets an error that is its own cause', () => {
    const error = new Error('hunter22')
    error.cause = error
    expect(factsOf({ error }).error).toMatchObject({ message: '**' })
  })

  it('gets the very error that has none', () => {
    const error = new Error('no', { cause: new Error('why') })
    expect(factsOf({ error }).error).toBe(error)
  })
})
