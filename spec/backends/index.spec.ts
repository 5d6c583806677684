import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../lib/backends/index.js'
import { MemoryBackend } from '../../lib/backends/memory.js'
import { RedisBackend } from '../../lib/backends/redis.js'
import { RpcBackend } from '../../lib/backends/rpc.js'
import { ConfigurationError } from '../../lib/errors.js'
import { MemoryLog } from '../support/memoryLog.js'

const create = (result_backend: string | null) =>
  createBackend(
    { result_backend, result_expires: 60 },
    { publisher: { publish: async () => undefined }, log: new MemoryLog() },
  )

describe('createBackend', () => {
  for (const none of [null, '', 'disabled', 'disabled://']) {
    it(`makes none of ${JSON.stringify(none)}`, () => expect(create(none).name).toBe('disabled://'))
  }

  for (const url of ['rpc', 'rpc://', ' RPC:// ']) {
    it(`makes replies of ${JSON.stringify(url)}`, () => expect(create(url)).toBeInstanceOf(RpcBackend))
  }

  for (const url of ['cache+memory://', 'memory://']) {
    it(`makes one in this process of ${url}`, () => expect(create(url)).toBeInstanceOf(MemoryBackend))
  }

  const redis: Array<[url: string, name: string]> = [
    ['redis', 'redis'],
    ['redis://localhost/0', 'redis://localhost/0'],
    ['redis://:secret@h/0', 'redis://:**@h/0'],
    ['redis://u:secret@h/0', 'redis://u:**@h/0'],
    ['redis://h/0?password=secret', 'redis://h/0?password=**'],
    ['rediss://:secret@h?ssl_cert_reqs=none', 'rediss://:**@h?ssl_cert_reqs=none'],
    ['redis+socket:///run/redis.sock', 'redis+socket:///run/redis.sock'],
    ['sentinel://:secret@a:1/0;sentinel://:secret@b:1/0', 'sentinel://:**@a:1/0;sentinel://:**@b:1/0'],
  ]
  for (const [url, name] of redis) {
    it(`makes one in Redis of ${url}, and shows it as ${name}`, () => {
      const backend = create(url)
      expect(backend).toBeInstanceOf(RedisBackend)
      expect(backend.name).toBe(name)
    })
  }

  for (const url of [
    'db+postgresql://u:secret@h/d',
    'cache+memcached://h',
    'mongodb://h',
    'file:///tmp',
    'amqp',
    'nonsense',
  ]) {
    it(`refuses ${url}, naming those that it has`, () => {
      const making = () => create(url)
      expect(making).toThrow(ConfigurationError)
      expect(making).toThrow(/^result_backend: .* is not supported; expected one of rpc:\/\/, redis:\/\//)
      expect(making).not.toThrow(/secret/)
    })
  }

  it('tells what is wrong with a URL', () => {
    expect(() => create('rediss://h')).toThrow(
      /^result_backend: a rediss:\/\/ URL must have the parameter ssl_cert_reqs/,
    )
  })
})
