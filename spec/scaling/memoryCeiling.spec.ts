import { totalmem } from 'node:os'
import { describe, expect, it } from '@jest/globals'
import { memoryCeiling } from '../../lib/scaling/memoryCeiling.js'
import { loadSettings } from '../../lib/settings/load.js'

const MIB = 1024 * 1024

function ceiling(config: Record<string, unknown>, constrained = 0): number | null {
  return memoryCeiling(loadSettings({ config, env: {}, flags: {} }).settings, constrained)
}

describe('the memory ceiling', () => {
  it.each(['async', 'gevent', 'solo'])('is worker_max_memory_per_child in the pool %s', (worker_pool) => {
    expect(ceiling({ worker_pool, worker_max_memory_per_child: 200 * 1024 })).toBe(200 * MIB)
  })

  it.each(['prefork', 'threads'])('is left to the children in the pool %s', (worker_pool) => {
    expect(ceiling({ worker_pool, worker_max_memory_per_child: 200 * 1024 })).toBeNull()
  })

  it("is a container's limit, or what is less", () => {
    expect(ceiling({}, 64 * MIB)).toBe(64 * MIB)
    expect(ceiling({ worker_max_memory_per_child: 200 * 1024 }, 64 * MIB)).toBe(64 * MIB)
    expect(ceiling({ worker_max_memory_per_child: 1024 }, 64 * MIB)).toBe(MIB)
  })

  it('is none where nothing sets one', () => {
    expect(ceiling({})).toBeNull()
    expect(ceiling({}, totalmem())).toBeNull()
    expect(ceiling({}, 2 ** 63)).toBeNull()
  })
})
