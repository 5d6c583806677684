import { copyFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PeerCertificate } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { tlsFault, tlsOptions } from '../../lib/settings/tls.js'
import { type Authority, type Certificate, certificateAuthority } from '../support/certificates.js'

describe("Node's options for Python's words", () => {
  it.each([
    ['required', true],
    ['CERT_OPTIONAL', true],
    [2, true],
    ['none', false],
    ['CERT_NONE', false],
    [0, false],
    [undefined, true],
  ])('cert_reqs %s: whether the certificate has to be good is %s', (cert_reqs, expected) => {
    expect(tlsOptions({ cert_reqs }).rejectUnauthorized).toBe(expected)
  })

  it('server_hostname is the name to expect, and null the one that is connected to', () => {
    expect(tlsOptions({ server_hostname: 'broker' }).servername).toBe('broker')
    expect(tlsOptions({ server_hostname: null })).not.toHaveProperty('servername')
  })

  const certifiedFor = (subjectaltname: string): PeerCertificate =>
    ({ subject: { CN: 'x' }, subjectaltname }) as unknown as PeerCertificate
  const nameFault = (words: Record<string, unknown>, host: string, names: string): string | undefined =>
    tlsOptions(words).checkServerIdentity?.(host, certifiedFor(names))?.message

  it('the name is checked, and localhost may also be certified by its address', () => {
    expect(nameFault({}, 'broker', 'DNS:broker')).toBeUndefined()
    expect(nameFault({}, 'broker', 'DNS:other')).toContain('broker. is not in the cert')
    expect(nameFault({}, '127.0.0.1', 'DNS:localhost')).toBeUndefined()
    expect(nameFault({}, '127.0.0.1', 'IP Address:127.0.0.1')).toBeUndefined()
    expect(nameFault({}, '127.0.0.2', 'DNS:localhost')).toContain('127.0.0.2 is not in the cert')
    expect(nameFault({ check_hostname: false }, 'broker', 'DNS:other')).toBeUndefined()
  })

  describe('with files', () => {
    let authority: Authority
    let [one, two]: Certificate[] = []
    beforeAll(async () => {
      authority = await certificateAuthority()
      one = await authority.issue('one')
      two = await authority.issue('two')
    })
    afterAll(() => authority.dispose())

    it('says which file is missing, or that key and certificate are not of a pair', () => {
      expect(() => tlsOptions({ ca_certs: '/nowhere/ca.crt' })).toThrow('/nowhere/ca.crt')
      const fault = (): unknown => {
        try {
          return tlsOptions({ certfile: one?.cert, keyfile: two?.key })
        } catch (thrown) {
          return tlsFault(thrown)
        }
      }
      expect(fault()).toBe('keyfile is not the key of certfile')
    })

    it('takes renewed files for the next connection, and keeps to the last good ones while they do not fit', async () => {
      const [certfile, keyfile] = ['renewed.crt', 'renewed.key'].map((name) => join(dirname(authority.ca), name))
      if (!one || !two || !certfile || !keyfile) throw new Error('nothing was issued')
      await copyFile(one.cert, certfile)
      await copyFile(one.key, keyfile)
      const options = tlsOptions({ certfile, keyfile })
      const first = options.secureContext
      expect(options.secureContext).not.toBe(first)
      await copyFile(two.cert, certfile)
      const half = options.secureContext
      expect(options.secureContext).toBe(half)
      await copyFile(two.key, keyfile)
      expect(options.secureContext).not.toBe(half)
      await writeFile(keyfile, 'nonsense')
      expect(options.secureContext).toBe(options.secureContext)
    })
  })
})

describe('a fault of TLS', () => {
  it('is told as it is where TLS is not to blame', () => {
    expect(tlsFault(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(
      'connect ECONNREFUSED',
    )
  })

  it('may be the want of a client certificate where a connection that had none to show never came up', () => {
    const reset = Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' })
    expect(tlsFault(reset, { ca_certs: '/ca' })).toBe(
      'write ECONNRESET (the server may want a client certificate: certfile and keyfile)',
    )
    expect(tlsFault(reset, { certfile: '/cert' })).toBe('write ECONNRESET')
    expect(tlsFault(reset)).toBe('write ECONNRESET')
  })

  it("is told by OpenSSL's reason, without its file names, where there are no better words", () => {
    const error = Object.assign(new Error('00E7:error:0A00:SSL routines:f:no protocols:../deps/x.c:1:'), {
      code: 'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
      reason: 'no protocols available',
    })
    expect(tlsFault(error)).toBe('TLS: no protocols available')
  })
})
