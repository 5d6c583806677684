import { describe, expect, it } from '@jest/globals'
import { loadSettings } from '../../lib/settings/load.js'
import { checkTlsWords } from '../../lib/settings/tlsWords.js'

describe("TLS's words", () => {
  it('are those of Python, with the values that Python has for them', () => {
    const words = { keyfile: '/k', certfile: '/c', ca_certs: '/a', server_hostname: null, ssl_version: 2 }
    for (const cert_reqs of ['CERT_REQUIRED', 'required', 'optional', 'CERT_NONE', 'None', 0, 1, 2, '2']) {
      expect(() => checkTlsWords({ ...words, cert_reqs })).not.toThrow()
    }
  })

  it('may have a prefix, and then all of them do', () => {
    expect(() => checkTlsWords({ ssl_ca_certs: '/a', ssl_cert_reqs: 'none' }, 'ssl_')).not.toThrow()
    expect(() => checkTlsWords({ ca_certs: '/a' }, 'ssl_')).toThrow('"ca_certs" is not an option of TLS')
  })

  it('are looked at when the worker starts, in settings and in URLs', () => {
    const faultsOf = (config: Record<string, unknown>): readonly string[] =>
      loadSettings({ config, env: {}, flags: {} }).faults
    expect(faultsOf({ broker_use_ssl: { ca_certs: '/a' }, redis_backend_use_ssl: { ssl_ca_certs: '/a' } })).toEqual([])
    expect(faultsOf({ broker_use_ssl: { ca_cert: '/a' } })[0]).toContain('"ca_cert" is not an option of TLS')
    expect(faultsOf({ redis_backend_use_ssl: { ca_certs: '/a' } })[0]).toContain('"ca_certs" is not an option of TLS')
    expect(faultsOf({ broker_url: 'amqps://h//?ssl_ca_cert=/a' })[0]).toContain('"ca_cert" is not an option of TLS')
  })

  it('are refused when unknown, since a certificate that is not looked at protects nobody', () => {
    expect(() => checkTlsWords({ ca_cert: '/a' })).toThrow(
      '"ca_cert" is not an option of TLS; expected keyfile, certfile, ca_certs, cert_reqs, ciphers, server_hostname, check_hostname, password',
    )
    expect(() => checkTlsWords({ cert_reqs: 'perhaps' })).toThrow(
      'cert_reqs is "perhaps"; it must be required, optional or none (or CERT_REQUIRED, CERT_OPTIONAL, CERT_NONE)',
    )
  })
})
