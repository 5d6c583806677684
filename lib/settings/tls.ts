import { readFileSync } from 'node:fs'
import {
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type ConnectionOptions as TlsOptions,
} from 'node:tls'
import { coerceError } from '../errors.js'
import { checkTlsWords, type TlsWords } from './tlsWords.js'

/**
 * Converts Python's TLS options to those of Node. The server's certificate is checked, and its name, unless `cert_reqs`
 * is `none` (`check_hostname` turns off only the name check); Celery checks the name only where `server_hostname` is
 * given. The files are read again for each connection, so that renewed certificates take effect; if they can't be read
 * or don't fit together by then, the previous ones are used.
 * @throws TypeError for options that can't be understood; the file system's or OpenSSL's error for a file
 */
export function tlsOptions(words: TlsWords): TlsOptions {
  checkTlsWords(words)
  const text = (name: string): string | undefined => {
    const value = words[name] ?? undefined
    return value === undefined ? undefined : String(value)
  }
  const file = (name: string): Buffer | undefined => {
    const path = text(name)
    return path === undefined ? undefined : readFileSync(path)
  }
  const context = renewed(() => ({
    key: file('keyfile'),
    cert: file('certfile'),
    ca: file('ca_certs'),
    ciphers: text('ciphers'),
    passphrase: text('password'),
  }))
  const servername = text('server_hostname')
  const isNameChecked = !/^(false|0|no|off)$/i.test(text('check_hostname') ?? 'true')
  return {
    get secureContext() {
      return context()
    },
    rejectUnauthorized: !/^(cert_)?none$|^0$/i.test(text('cert_reqs') ?? 'required'),
    checkServerIdentity: isNameChecked ? checkName : () => undefined,
    ...(servername === undefined ? {} : { servername }),
  }
}

/** A broker at `localhost` is reached at 127.0.0.1, as in kombu, and its certificate may name either. */
const checkName: typeof checkServerIdentity = (host, certificate) => {
  const fault = checkServerIdentity(host, certificate)
  return fault && host === '127.0.0.1' ? checkServerIdentity('localhost', certificate) && fault : fault
}

function renewed(read: () => SecureContextOptions): () => SecureContext {
  let last = createSecureContext(read())
  return () => {
    try {
      last = createSecureContext(read())
      return last
    } catch {
      return last
    }
  }
}

const FAULTS: ReadonlyArray<readonly [RegExp, (why: string) => string]> = [
  [
    /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF/,
    (why) => `the server's certificate is not signed by an authority that ca_certs names (${why})`,
  ],
  [/^CERT_HAS_EXPIRED$/, () => "the server's certificate has expired"],
  [/^CERT_/, (why) => `the server's certificate can't be trusted (${why})`],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    (why) => `the server's certificate is for another name: ${why} (server_hostname gives the name to expect)`,
  ],
  [/ALERT_CERTIFICATE_REQUIRED$/, () => 'the server wants a client certificate: certfile and keyfile'],
  [
    /ALERT_HANDSHAKE_FAILURE$/,
    () => 'the server broke the handshake off: it wants a client certificate (certfile and keyfile), or other ciphers',
  ],
  [
    /ALERT_(BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERT)/,
    (why) => `the server refuses our certificate (${why})`,
  ],
  [/WRONG_VERSION_NUMBER$/, () => 'the server does not speak TLS on this port'],
  [/KEY_VALUES_MISMATCH$/, () => 'keyfile is not the key of certfile'],
  [/PEM_NO_START_LINE$/, () => 'certfile or keyfile is not a PEM file'],
  [/^ERR_(SSL|OSSL)_/, (why) => `TLS: ${why}`],
]

/**
 * Errors that a client may get from a server that requires its certificate; with TLS 1.3 the reason can be lost with
 * the connection.
 */
const CUT_OFF = /ECONNRESET|EPIPE|Socket closed abruptly/

/**
 * Returns a connection's error in words that tell an operator which option to check; unchanged where TLS isn't the
 * cause.
 * @param words of a connection that never came up
 */
export function tlsFault(thrown: unknown, words: TlsWords | null = null): string {
  const error: Error & { code?: unknown; reason?: unknown } = coerceError(thrown)
  const code = String(error.code ?? '')
  const fault = FAULTS.find(([pattern]) => pattern.test(code))
  if (fault) return fault[1](typeof error.reason === 'string' ? error.reason : error.message)
  const isUncertified = words !== null && (words.certfile ?? null) === null
  const hint = isUncertified && CUT_OFF.test(`${code} ${error.message}`)
  return hint ? `${error.message} (the server may want a client certificate: certfile and keyfile)` : error.message
}
