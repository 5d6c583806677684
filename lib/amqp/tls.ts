import { readFileSync } from 'node:fs'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { BrokerUrl } from '../settings/brokerUrl.js'

/** Celery's `broker_use_ssl`: true, or the paths and words that Python's ssl module takes. */
export type BrokerUseSsl = boolean | Readonly<Record<string, unknown>>

/**
 * What Node's TLS wants for what Celery calls `keyfile`, `certfile`, `ca_certs`, `cert_reqs`, `ciphers` and `server_hostname`;
 * the URL's own `ssl_*` arguments win. Files are read anew for each attempt, so that renewed certificates are taken up.
 * @throws the file system's error for a file that can't be read
 */
export function tlsOptions(url: BrokerUrl, useSsl: BrokerUseSsl): TlsOptions {
  const given = { ...(typeof useSsl === 'object' ? useSsl : {}), ...url.ssl }
  const text = (name: string): string | undefined => (given[name] === undefined ? undefined : String(given[name]))
  const file = (name: string): Buffer | undefined => {
    const path = text(name)
    return path === undefined ? undefined : readFileSync(path)
  }
  const servername = text('server_hostname')
  const ciphers = text('ciphers')
  return {
    key: file('keyfile'),
    cert: file('certfile'),
    ca: file('ca_certs'),
    // Python's words are CERT_NONE, CERT_OPTIONAL and CERT_REQUIRED (0, 1, 2); for a client the last two mean the same.
    rejectUnauthorized: !/^(cert_)?none$|^0$/i.test(text('cert_reqs') ?? 'required'),
    ...(servername === undefined ? {} : { servername }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}
