import { checkTlsWords, type TlsWords } from '../settings/tlsWords.js'
import { splitUrl, type UrlParts } from '../settings/urlParts.js'

/** The address of a Redis server and the credentials for it. */
export interface RedisTarget {
  readonly where:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'socket'; readonly path: string }
    | { readonly kind: 'sentinel'; readonly sentinels: readonly { readonly host: string; readonly port: number }[] }
  readonly db: number
  readonly username: string | null
  readonly password: string | null
  /** Python's option names, without the prefix; null for a connection without TLS. */
  readonly tls: TlsWords | null
}

/** Celery's `redis_backend_use_ssl`: the options of Python's ssl module, each with the prefix `ssl_`. */
export type RedisUseSsl = boolean | TlsWords

const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26379
const EXPECTED = 'expected a Redis URL such as redis://user:password@host:6379/0 (or rediss, redis+socket, sentinel)'
const CERT_REQS_MISSING =
  'a rediss:// URL must have the parameter ssl_cert_reqs, and it must be required, optional or none (or CERT_REQUIRED, CERT_OPTIONAL, CERT_NONE)'
const SSL_WITHOUT_TLS = 'a redis:// URL has ssl_ parameters: write rediss://'

/**
 * Reads a result backend's URL with Celery's rules: an absent part has its default, a path is the number of the
 * database, and of several sentinels, joined by `;`, the first one's database and password are used.
 * @throws TypeError that says what is expected, without the password
 */
export function parseRedisUrl(text: string, useSsl: RedisUseSsl = false): RedisTarget {
  const urls = text
    .split(';')
    .filter((url) => url.trim() !== '')
    .map(partsOf)
  const [first] = urls
  if (first === undefined) throw new TypeError(EXPECTED)
  const { scheme } = first
  const query = new Map(first.query)
  const ssl = sslOf(query, useSsl)
  if (scheme === 'redis' && [...query.keys()].some((name) => name.startsWith('ssl_')))
    throw new TypeError(SSL_WITHOUT_TLS)
  if (scheme === 'rediss' && ssl.cert_reqs === undefined) throw new TypeError(CERT_REQS_MISSING)
  const isSocket = scheme === 'redis+socket' || scheme === 'socket'
  return {
    where: whereOf(scheme, urls),
    db: dbOf(query.get('db') ?? (isSocket ? query.get('virtual_host') : first.path) ?? ''),
    username: query.get('username') ?? (first.username || null),
    password: query.get('password') ?? (first.password || null),
    tls: scheme === 'rediss' || Object.keys(ssl).length > 0 ? ssl : null,
  }
}

function partsOf(text: string): UrlParts {
  const url = splitUrl(text.trim() === 'redis' ? 'redis://' : text.trim())
  if (url === null) throw new TypeError(EXPECTED)
  return url
}

function whereOf(scheme: string, urls: readonly UrlParts[]): RedisTarget['where'] {
  const [first] = urls
  if (first === undefined) throw new TypeError(EXPECTED)
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return { kind: 'tcp', host: hostOf(first), port: first.port || DEFAULT_PORT }
    case 'redis+socket':
    case 'socket':
      return { kind: 'socket', path: `/${first.path}` }
    case 'sentinel': {
      const sentinels = urls.map((url) => ({ host: hostOf(url), port: url.port || SENTINEL_PORT }))
      return { kind: 'sentinel', sentinels }
    }
    default:
      throw new TypeError(EXPECTED)
  }
}

function hostOf({ hostname }: UrlParts): string {
  return hostname || 'localhost'
}

function dbOf(text: string): number {
  const found = /^\/*(?:(\d+)\/*)?$/.exec(text)
  if (!found) throw new TypeError(`the database is ${JSON.stringify(text)}; expected a number, as in redis://host/0`)
  return Number(found[1] ?? 0)
}

function sslOf(query: ReadonlyMap<string, string>, useSsl: RedisUseSsl): TlsWords {
  const given = [...Object.entries(typeof useSsl === 'object' ? useSsl : {}), ...query]
  const words = Object.fromEntries(given.filter(([name]) => name.startsWith('ssl_')))
  checkTlsWords(words, 'ssl_')
  const ssl = Object.fromEntries(Object.entries(words).map(([name, value]) => [name.slice(4), value]))
  // As in Celery, `true` alone says nothing about the certificate; here it means strict verification.
  return useSsl === true ? { cert_reqs: 'required', ...ssl } : ssl
}
