import { describe, expect, it } from '@jest/globals'
import { loadSettings } from '../../lib/settings/load.js'
import { maskSecrets, maskUrl, secretsOf } from '../../lib/settings/mask.js'
import { growthOf } from '../support/growth.js'

describe('maskUrl', () => {
  it.each([
    ['amqp://localhost:5677', 'amqp://guest:**@127.0.0.1:5677//'],
    ['amqp://u:p@h/a%2Fb', 'amqp://u:**@h:5672/a/b'],
    ['amqp://u:p@h;amqp://v:q@i', 'amqp://u:**@h:5672//;amqp://v:**@i:5672//'],
    ['redis://:pw@localhost:6379/0', 'redis://:**@localhost:6379/0'],
    ['redis://localhost:6379/0', 'redis://localhost:6379/0'],
    ['db+postgresql://u:p:w@h/x', 'db+postgresql://u:**@h/x'],
    ['rpc://', 'rpc://'],
    ['redis://me@corp.com:pw@h/0', 'redis://me@corp.com:**@h/0'],
    ['redis://me@h:6379/0', 'redis://me@h:6379/0'],
    ['redis://h/0?password=p@ss:word', 'redis://h/0?password=**'],
    ['redis://u:p@h/0?db=1&password=a;b&x=1', 'redis://u:**@h/0?db=1&password=**&x=1'],
    ['rediss://h?ssl_password=p&password=q', 'rediss://h?ssl_password=**&password=**'],
    ['sentinel://h?password=p;sentinel://i', 'sentinel://h?password=**;sentinel://i'],
  ])('writes %s as %s', (url, masked) => {
    expect(maskUrl(url)).toBe(masked)
  })

  it.each([
    ['amqp://u:se/cret@h', 'amqp://u:**@h'],
    ['amqp://u:se;cret@h', 'amqp://u:**@h'],
    ['amqp://u:secret@h:99999', 'amqp://u:**@h:99999'],
  ])('hides the password of %s, which is no valid URL', (url, masked) => {
    expect(maskUrl(url)).toBe(masked)
  })
})

describe('maskSecrets', () => {
  it('masks the passwords of URLs in a text, whether they are known or not', () => {
    expect(maskSecrets('from amqp://u:p@h to redis://:q@i/0.', [])).toBe('from amqp://u:**@h to redis://:**@i/0.')
  })

  it.each([
    ['amqp://u:p@ss@h/x', 'amqp://u:**@h/x'],
    ['"amqp://u:p@h","redis://:q@i"', '"amqp://u:**@h","redis://:**@i"'],
    ['a://u:p@h;b://v:q@i and c://w:r@j', 'a://u:**@h;b://v:**@i and c://w:**@j'],
    ['http://u@h:80/x', 'http://u@h:80/x'],
    ['from amqp://me@corp.com:p@ss@h/x', 'from amqp://me@corp.com:**@h/x'],
    [
      "'redis://h/0?password=a%40b', 'redis://i?db=1&ssl_password=c'",
      "'redis://h/0?password=**', 'redis://i?db=1&ssl_password=**'",
    ],
    ['amqp://u:p', 'amqp://u:p'],
  ])('writes %s as %s', (text, masked) => {
    expect(maskSecrets(text, [])).toBe(masked)
  })

  it.each<[string, (size: number) => string]>([
    ['one long word', (size) => `${'a'.repeat(size)}://`],
    ['many words before a URL', (size) => `${'a.'.repeat(size)}://x`],
    ['many beginnings of URLs', (size) => 'a://u:'.repeat(size)],
    ['a password without an end', (size) => `a://u:${':'.repeat(size)}`],
    ['a password in the query without an end', (size) => `a://u?password=${'?password='.repeat(size)}`],
    ['users with many signs', (size) => 'a://u@'.repeat(size)],
    ['many signs of an end', (size) => `a://u:${'@'.repeat(size)} `],
  ])('takes no longer than its text is long: %s', (_what, textOf) => {
    expect(growthOf((text: string) => maskSecrets(text, []), textOf, 50_000)).toBeLessThan(4)
  })

  it('masks known secrets wherever they stand', () => {
    expect(maskSecrets('login as joe with hunter22 failed', ['hunter22'])).toBe('login as joe with ** failed')
  })

  it('leaves other texts and URLs alone', () => {
    const text = 'GET https://example.org:8080/a@b took 3s; {"a": "b@c"}'
    expect(maskSecrets(text, [])).toBe(text)
  })
})

describe('secretsOf', () => {
  const secretsWith = (config: Record<string, unknown>): string[] =>
    secretsOf(loadSettings({ config, env: {}, flags: {} }).settings)

  it('finds the passwords of brokers and of the result backend, as written and decoded, longest first', () => {
    expect(
      secretsWith({ broker_url: 'amqp://u:p%40ssword@h;amqp://u:other@h', result_backend: 'redis://:backend-pw@h/0' }),
    ).toEqual(['p%40ssword', 'backend-pw', 'p@ssword', 'other'])
  })

  it('finds passwords in the query, as written and decoded', () => {
    expect(secretsWith({ result_backend: 'redis://h/0?password=a%2Bb+cd&db=1' })).toEqual([
      'a%2Bb+cd',
      'a+b+cd',
      'a+b cd',
    ])
    expect(secretsWith({ result_backend: 'sentinel://h?ssl_password=of-the-key;sentinel://i?password=other' })).toEqual(
      ['of-the-key', 'other'],
    )
  })

  it('finds the password of a user whose name contains an @', () => {
    expect(secretsWith({ broker_url: 'amqp://me@corp.com:hunter22@h' })).toEqual(['hunter22'])
    expect(secretsWith({ broker_url: 'amqp://me@corp.com:hunter@22@h' })).toEqual(['hunter@22'])
  })

  it('finds the passwords among the options of transports, and in the tables of them', () => {
    expect(
      secretsWith({
        broker_transport_options: { manager_password: 'of-the-manager', sentinel_kwargs: { password: 'elsewhere' } },
        result_backend_transport_options: { master_name: 'main-one', sentinel_kwargs: { password: 'of-sentinels' } },
      }),
    ).toEqual(['of-the-manager', 'of-sentinels', 'elsewhere'])
  })

  it('knows how JSON writes a password', () => {
    expect(secretsWith({ broker_url: 'amqp://u:a%22bcd@h' })).toContain('a\\"bcd')
  })

  it('leaves out guest, which is public, and passwords too short to be told from words', () => {
    expect(secretsWith({ broker_url: 'amqp://guest:guest@h;amqp://u:abc@h' })).toEqual([])
  })
})
