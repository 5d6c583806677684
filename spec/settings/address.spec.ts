import { describe, expect, it } from '@jest/globals'
import { address, parseAddress, showAddress } from '../../lib/settings/address.js'
import { loadSettings } from '../../lib/settings/load.js'
import { secretsOf } from '../../lib/settings/mask.js'

describe('an address', () => {
  it.each([
    ['127.0.0.1:9891', '127.0.0.1', 9891],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['localhost:0', 'localhost', 0],
    ['[::1]:9891', '::1', 9891],
    ['[fe80::1]:65535', 'fe80::1', 65535],
    ['9891', '127.0.0.1', 9891],
  ])('is read from %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port })
    expect(parseAddress(showAddress({ host, port }))).toEqual({ host, port })
  })

  it.each([
    '',
    ':80',
    'localhost',
    'localhost:',
    'h:65536',
    'h:-1',
    '::1:80',
    '[::1]',
    'http://h:80',
    'h:80/x',
    'a b:80',
  ])('is not %j', (text) => {
    expect(() => parseAddress(text)).toThrow('expected HOST:PORT, such as 127.0.0.1:9891')
  })

  it('is kept with its host written out', () => {
    expect(address('8080')).toBe('127.0.0.1:8080')
    expect(address(8080)).toBe('127.0.0.1:8080')
    expect(address(' [::1]:8080 ')).toBe('[::1]:8080')
    expect(() => address(null)).toThrow('expected HOST:PORT')
  })
})

describe('the settings of HTTP', () => {
  const TOKEN = 'correct-horse-battery'

  it('listen on this machine only unless told otherwise', () => {
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    expect(settings).toMatchObject({
      worker_http: '127.0.0.1:9891',
      without_http: false,
      worker_http_control: false,
      worker_http_token: null,
    })
  })

  it('take the token from the environment, and treat it as a secret', () => {
    const { settings } = loadSettings({ config: {}, env: { CELERIAC_HTTP_TOKEN: TOKEN }, flags: {} })
    expect(settings.worker_http_token).toBe(TOKEN)
    expect(secretsOf(settings)).toContain(TOKEN)
  })

  it('refuse a token that could be guessed, without showing it', () => {
    const { faults } = loadSettings({ config: { worker_http_token: 'hunter2' }, env: {}, flags: {} })
    expect(faults).toEqual(['app config worker_http_token "**": expected a text of at least 16 characters'])
  })

  it.each([
    ['a line end of a file', `${TOKEN}\n`],
    ['a blank', 'correct horse battery'],
    ['a letter that a header has no byte for', `${TOKEN}é`],
  ])('refuse a token that no request could carry, with %s', (_, token) => {
    const { faults } = loadSettings({ config: {}, env: { CELERIAC_HTTP_TOKEN: token }, flags: {} })
    expect(faults).toEqual([
      'CELERIAC_HTTP_TOKEN "**": expected only visible ASCII characters, without blanks and line ends',
    ])
  })

  it('warn of control that nobody has the token for', () => {
    const flags = { worker_http_control: true }
    expect(loadSettings({ config: {}, env: {}, flags }).warnings).toEqual([
      '--http-control has no effect without worker_http_token (CELERIAC_HTTP_TOKEN)',
    ])
    expect(loadSettings({ config: {}, env: { CELERIAC_HTTP_TOKEN: TOKEN }, flags }).warnings).toEqual([])
  })
})
