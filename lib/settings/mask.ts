import { parseBrokerUrl } from './brokerUrl.js'
import type { Settings } from './table.js'
import { unquote } from './urlParts.js'

/** Replacement for a secret. */
export const MASK = '**'
/** The broker's default password is no secret, and masking it would spoil every line that contains the user name. */
const PUBLIC = 'guest'
/** A shorter password would be found in half the words of a log. Inside a URL a password of any length is masked. */
const SHORTEST_SECRET = 4
/** A password in the query, as Redis URLs may have it: of the user, or of the key for TLS. */
const IN_QUERY = /([?&](?:ssl_)?password=)([^&#]*)/g
/** The same within a text, where a URL ends at a space or a quote. */
const IN_QUERY_OF_TEXT = /([?&](?:ssl_)?password=)[^\s&#;"']*/g
/** End of the part of a URL that contains user, password and host. */
const END_OF_AUTHORITY = /[\s/?#"';]/g

/**
 * Returns a broker URL, a list of them joined by `;`, or a result backend's URL, without its password. Broker URLs are
 * written as kombu's `as_uri` does, with their defaults filled in. In a text that can't be parsed as a URL, everything
 * between the first colon and the last `@` is masked. A password in the query is masked, too.
 */
export function maskUrl(url: string): string {
  const parts = url.split(';')
  if (!parts.every((part) => part.includes('://'))) return maskRoughly(url)
  return parts.map((part) => asBroker(part) ?? maskRoughly(part)).join(';')
}

function maskRoughly(text: string): string {
  return text.replace(IN_QUERY, `$1${MASK}`).replace(/^([^:]*:\/\/[^:]*:).*(?=@)/s, `$1${MASK}`)
}

function asBroker(url: string): string | undefined {
  try {
    return parseBrokerUrl(url)[0]?.toString()
  } catch {
    return undefined
  }
}

/** Replaces every secret, and every password in a URL, with `**`. */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = text.includes('://') ? maskPasswords(text).replace(IN_QUERY_OF_TEXT, `$1${MASK}`) : text
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK)
  return masked
}

/**
 * Masks what stands between the user and the last `@` of the authority in each URL. Reads each character at most twice.
 */
function maskPasswords(text: string): string {
  let masked = ''
  let from = 0
  for (let found = text.indexOf('://'); found >= 0; found = text.indexOf('://', found + 3)) {
    const start = found + 3
    END_OF_AUTHORITY.lastIndex = start
    const authority = text.slice(start, END_OF_AUTHORITY.exec(text)?.index)
    const colon = authority.indexOf(':')
    const at = authority.lastIndexOf('@')
    // As `splitUrl` reads it, the user may contain an `@`, and ends at the first colon.
    if (colon < 0 || at < colon) continue
    masked += `${text.slice(from, start + colon + 1)}${MASK}`
    from = start + at
  }
  return masked + text.slice(from)
}

/**
 * Returns the passwords and tokens among the settings, in every spelling that a log line might have; longest first, for
 * `maskSecrets`.
 */
export function secretsOf(settings: Settings): string[] {
  const urls = [settings.broker_url, settings.broker_read_url, settings.broker_write_url, settings.result_backend]
  const passwords = urls
    .flatMap((url) => url?.split(';') ?? [])
    .flatMap((url) => [
      /:\/\/[^/?#:]*:([^/?#]*)@/.exec(url)?.[1] ?? '',
      ...[...url.matchAll(IN_QUERY)].map(([, , password = '']) => password),
    ])
    .flatMap((password) => [password, unquote(password), unquote(password.replaceAll('+', ' '))])
    .concat(settings.worker_http_token ?? '')
    .concat(passwordsIn(settings.broker_transport_options), passwordsIn(settings.result_backend_transport_options))
    .filter((password) => password !== PUBLIC && password.length >= SHORTEST_SECRET)
    .flatMap((password) => [password, JSON.stringify(password).slice(1, -1)])
  return [...new Set(passwords)].sort((a, b) => b.length - a.length)
}

/** Returns the passwords among options and in a table of them, such as `sentinel_kwargs`. */
function passwordsIn(options: Readonly<Record<string, unknown>>): string[] {
  return [options, ...Object.values(options)].flatMap((table) =>
    Object.entries(table ?? {}).flatMap(([name, value]) =>
      typeof value === 'string' && name.endsWith('password') ? [value] : [],
    ),
  )
}
