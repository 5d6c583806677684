import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
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

  const strict: Array<[reqs: string, strict: boolean]> = [
    ['required', true],
    ['CERT_REQUIRED', true],
    ['optional', true],
    ['none', false],
    ['CERT_NONE', false],
  ]
  for (const [reqs, rejectUnauthorized] of strict) {
    it(`takes ssl_cert_reqs=${reqs}`, () => {
      expect(parseRedisUrl(`rediss://h?ssl_cert_reqs=${reqs}`).tls).toMatchObject({ rejectUnauthorized })
    })
  }

  it('takes redis_backend_use_ssl for what the URL does not say', () => {
    expect(parseRedisUrl('rediss://h', { ssl_cert_reqs: 'none' }).tls).toMatchObject({ rejectUnauthorized: false })
    expect(parseRedisUrl('redis://h', true).tls).toMatchObject({ rejectUnauthorized: true })
    expect(parseRedisUrl('rediss://h?ssl_cert_reqs=required', { ssl_cert_reqs: 'none' }).tls).toMatchObject({
      rejectUnauthorized: true,
    })
  })

  describe('with certificates', () => {
    let dir: string
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'celeriac-spec-'))
      for (const name of ['ca', 'cert', 'key']) writeFileSync(join(dir, name), name)
    })
    afterAll(() => rmSync(dir, { recursive: true }))

    it('reads the files', () => {
      const query = `ssl_cert_reqs=required&ssl_ca_certs=${dir}/ca&ssl_certfile=${dir}/cert&ssl_keyfile=${dir}/key`
      expect(parseRedisUrl(`rediss://h?${query}`).tls).toMatchObject({
        ca: Buffer.from('ca'),
        cert: Buffer.from('cert'),
        key: Buffer.from('key'),
      })
    })

    it('tells of a file that is not there', () => {
      expect(() => parseRedisUrl(`rediss://h?ssl_cert_reqs=none&ssl_ca_certs=${dir}/none`)).toThrow('ENOENT')
    })
  })
})
