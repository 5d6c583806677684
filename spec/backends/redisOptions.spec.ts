import { describe, expect, it } from '@jest/globals'
import { connectionOptions } from '../../lib/backends/redisOptions.js'
import { parseRedisUrl } from '../../lib/backends/redisUrl.js'
import { MemoryLog } from '../support/memoryLog.js'

describe('connectionOptions', () => {
  it('has no time that Node would take for a millisecond', () => {
    const seconds = 10_000_000
    const options = connectionOptions(
      {
        name: 'sentinel://',
        target: parseRedisUrl('sentinel://127.0.0.1:1/0'),
        globalKeyprefix: null,
        resultExpires: null,
        masterName: null,
        sentinel: { username: null, password: null },
        socketTimeout: seconds,
        connectTimeout: seconds,
        log: new MemoryLog(),
      },
      () => undefined,
    )
    const longest = 2 ** 31 - 1
    expect(options).toMatchObject({
      connectTimeout: longest,
      sentinelCommandTimeout: longest,
      socketTimeout: longest,
    })
  })
})
