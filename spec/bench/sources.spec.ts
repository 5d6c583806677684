import { describe, expect, it } from '@jest/globals'
import { bodies, later, noops } from './sources.js'

const keysOf = (source: ReturnType<typeof noops>, count: number): string[] =>
  [...source(count)].map(({ content }) => JSON.parse(content.toString())[1].key)

describe('the sources of messages', () => {
  it.each([2000, 64_000])('make bodies that are hardly larger than the %d bytes that are asked for', (bytes) => {
    const [message] = [...bodies(bytes)(1)]
    expect(message?.content.length).toBeGreaterThanOrEqual(bytes)
    expect(message?.content.length).toBeLessThan(bytes + 300)
  })

  it('make messages for later, whose time has not come', () => {
    const [message] = [...later(60_000)(1)]
    const eta = Date.parse(message?.properties.headers?.eta)
    expect(eta).toBeGreaterThan(Date.now())
    expect(eta).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  it('make as many as are wanted, with as many keys', () => {
    expect(keysOf(noops({ keys: 3 }), 7)).toEqual(['key-0', 'key-1', 'key-2', 'key-0', 'key-1', 'key-2', 'key-0'])
  })
})
