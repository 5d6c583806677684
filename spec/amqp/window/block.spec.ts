import { describe, expect, it } from '@jest/globals'
import { blockSize } from '../../../lib/amqp/window/block.js'

describe('the size of a block', () => {
  it.each([
    [1, 1, 1],
    [64, 1, 1],
    [65, 1, 4],
    [100, 1, 4],
    [1000, 1, 32],
    [256, 4, 4],
    [400, 4, 16],
  ])('of a window of %i messages, %i a slot, is %i', (messages, prefetch, size) => {
    expect(blockSize(messages, prefetch)).toBe(size)
  })

  it('leaves a large window with at most 32 consumers, and at least 16', () => {
    for (let messages = 65; messages < 5000; messages++) {
      const consumers = messages / blockSize(messages, 1)
      expect(consumers).toBeLessThanOrEqual(32)
      expect(consumers).toBeGreaterThan(16)
    }
  })
})
