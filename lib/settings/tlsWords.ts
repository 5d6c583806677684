/** Options of a TLS connection, named as in Python's ssl module and the clients built on it. */
export type TlsWords = Readonly<Record<string, unknown>>

/**
 * Options with an effect here. `keyfile`, `certfile` and `ca_certs` are paths of PEM files, `password` is the key's.
 */
const MEANT = 'keyfile certfile ca_certs cert_reqs ciphers server_hostname check_hostname password'.split(' ')
/** Options for the behaviour of Python's sockets, which is fixed here. */
const SETTLED = 'ssl_version do_handshake_on_connect suppress_ragged_eofs'.split(' ')

/** Python's constants, by name and by number. */
const CERT_REQS = /^(?:(?:cert_)?(?:none|optional|required)|[012])$/i

/**
 * Checks that every option is known and that `cert_reqs` can be understood.
 * @param prefix what precedes each option: `ssl_` for Redis and in URLs
 * @throws TypeError that says what is expected
 */
export function checkTlsWords(words: TlsWords, prefix: '' | 'ssl_' = ''): void {
  const known = [...MEANT, ...SETTLED].map((word) => `${prefix}${word}`)
  const unknown = Object.keys(words).find((word) => !known.includes(word))
  if (unknown !== undefined) {
    const expected = MEANT.map((word) => `${prefix}${word}`).join(', ')
    throw new TypeError(`${JSON.stringify(unknown)} is not an option of TLS; expected ${expected}`)
  }
  const reqs = words[`${prefix}cert_reqs`] ?? 'required'
  if (!CERT_REQS.test(String(reqs))) {
    throw new TypeError(
      `${prefix}cert_reqs is ${JSON.stringify(reqs)}; it must be required, optional or none (or CERT_REQUIRED, CERT_OPTIONAL, CERT_NONE)`,
    )
  }
}
