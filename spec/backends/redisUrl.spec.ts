import { describe, expect, it } from '@jest/globals'
import { parseRedisUrl, type RedisTarget } from '../../lib/backends/redisUrl.js'

const PLAIN = { db: 0, username: null, password: null, tls: null }
const tcp = (host: string, port = 6379): RedisTarget['where'] => ({ kind: 'tcp', host, port })

const read: Array<[url: string, target: RedisTarget]> = [
  ['redis', { ...PLAIN, where: tcp('localhost') }],
  ['redis://', { ...PLAIN, where: tcp('localhost') }],
  ['redis://h', { ...PLAIN, where: tcp('h') }],
  ['redis://h:1/', { ...PLAIN, where: tcp('h', 1) }],
  ['redis://h/3', { ...PLAIN, where: tcp('h'), db: 3 }],
  ['redis://h//3', { ...PLAIN, where: tcp('h'), db: 3 }],
  ['redis://h/1?db=2', { ...PLAIN, where: tcp('h'), db: 2 }],
  ['redis://[::1]:1/0', { ...PLAIN, where: tcp('::1', 1) }],
  ['redis://:pw@h', { ...PLAIN, where: tcp('h'), password: 'pw' }],
  ['redis://:pw@:1', { ...PLAIN, where: tcp('localhost', 1), password: 'pw' }],
  ['redis://u:p%40w@h', { ...PLAIN, where: tcp('h'), username: 'u', password: 'p@w' }],
  ['redis://h?username=u&password=p', { ...PLAIN, where: tcp('h'), username: 'u', password: 'p' }],
  ['redis+socket:///run/redis.sock', { ...PLAIN, where: { kind: 'socket', path: '/run/redis.sock' } }],
  ['socket:///run/redis.sock?virtual_host=2', { ...PLAIN, where: { kind: 'socket', path: '/run/redis.sock' }, db: 2 }],
  ['redis+socket://:pw@/run/r.sock', { ...PLAIN, where: { kind: 'socket', path: '/run/r.sock' }, password: 'pw' }],
  [
    'sentinel://:pw@a:1/2;sentinel://b',
    {
      ...PLAIN,
      where: {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 26379 },
        ],
      },
      db: 2,
      password: 'pw',
    },
  ],
]

const refused: Array<[url: string, why: string]> = [
  ['', 'expected a Redis URL'],
  ['amqp://h', 'expected a Redis URL'],
  ['redis://h:notaport', 'expected a Redis URL'],
  ['redis://h/abc', 'expected a number'],
  ['rediss://h', 'ssl_cert_reqs'],
  ['rediss://h?ssl_cert_reqs=perhaps', 'ssl_cert_reqs'],
  ['redis://h?ssl_cert_reqs=none', 'write rediss://'],
  ['rediss://h?ssl_cert_reqs=none&ssl_ca_cert=/ca', '"ssl_ca_cert" is not an option of TLS; expected ssl_keyfile, '],
]

describe('parseRedisUrl', () => {
  for (const [url, target] of read) it(`reads ${url}`, () => expect(parseRedisUrl(url)).toEqual(target))

  for (const [url, why] of refused) {
    it(`refuses ${url === '' ? 'nothing' : url}`, () => expect(() => parseRedisUrl(url)).toThrow(why))
  }

  it('does not tell the password when it refuses', () => {
    expect(() => parseRedisUrl('redis://:secret@h:notaport')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })

  it("takes TLS's words from the URL, without their prefix, and from redis_backend_use_ssl what the URL does not say", () => {
    expect(parseRedisUrl('rediss://h?ssl_cert_reqs=none&ssl_ca_certs=/ca').tls).toEqual({
      cert_reqs: 'none',
      ca_certs: '/ca',
    })
    expect(parseRedisUrl('rediss://h', { ssl_cert_reqs: 'none' }).tls).toEqual({ cert_reqs: 'none' })
    expect(parseRedisUrl('redis://h', true).tls).toEqual({ cert_reqs: 'required' })
    expect(parseRedisUrl('rediss://h?ssl_cert_reqs=required', { ssl_cert_reqs: 'none' }).tls).toEqual({
      cert_reqs: 'required',
    })
  })
})
