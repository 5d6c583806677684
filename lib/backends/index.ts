import { ConfigurationError } from '../errors.js'
import type { Backend } from '../ports.js'
import { maskUrl } from '../settings/mask.js'
import { tlsFault } from '../settings/tls.js'
import { createDisabledBackend } from './disabled.js'
import { MemoryBackend } from './memory.js'
import { RedisBackend } from './redis.js'
import { parseRedisUrl } from './redisUrl.js'
import { BACKENDS, type BackendFactory, type BackendParts, type BackendSettings } from './register.js'
import { RpcBackend } from './rpc.js'

const SOCKET_TIMEOUT = 120
const CONNECT_TIMEOUT = 10

const rpc: BackendFactory = ({ settings, publisher, log, replies }) =>
  new RpcBackend({
    publisher,
    log,
    ...(replies ? { replies } : {}),
    resultExpires: settings.result_expires,
    resultPersistent: settings.result_persistent ?? false,
  })

const redis: BackendFactory = ({ log, settings, shownUrl, url }) => {
  const options = settings.result_backend_transport_options ?? {}
  const sentinel = recordIn(options.sentinel_kwargs)
  return new RedisBackend({
    name: shownUrl,
    target: parseRedisUrl(url, settings.redis_backend_use_ssl ?? false),
    globalKeyprefix: textIn(options.global_keyprefix),
    resultExpires: settings.result_expires,
    masterName: textIn(options.master_name),
    chordOrdered: truth(options.result_chord_ordered),
    sentinel: { username: textIn(sentinel.username), password: textIn(sentinel.password) },
    socketTimeout: settings.redis_socket_timeout === null ? 0 : (settings.redis_socket_timeout ?? SOCKET_TIMEOUT),
    connectTimeout: settings.redis_socket_connect_timeout ?? CONNECT_TIMEOUT,
    log,
  })
}

BACKENDS.bring('rpc', rpc)
for (const scheme of ['redis', 'rediss', 'redis+socket', 'sentinel', 'socket']) BACKENDS.bring(scheme, redis)
for (const scheme of ['cache+memory', 'memory']) BACKENDS.bring(scheme, () => new MemoryBackend())
BACKENDS.bring('disabled', createDisabledBackend)

/** Other spellings of schemes. */
const UNSAID: ReadonlySet<string> = new Set(['disabled', 'memory', 'socket'])

/**
 * The backend that `result_backend` names: a URL, or one of Celery's bare names `rpc`, `redis` and `disabled`. Wrap it
 * in a `GuardedBackend` if results must survive an outage.
 * @throws ConfigurationError for a URL that can't be read, and for stores that aren't supported
 */
export function createBackend(settings: BackendSettings, parts: BackendParts): Backend {
  const url = settings.result_backend?.trim() ?? ''
  const scheme = /^([\w+.-]*?)(?::\/\/|$)/.exec(url)?.[1]?.toLowerCase() ?? url
  const factory = BACKENDS.get(scheme === '' ? 'disabled' : scheme)
  if (!factory) {
    const known = BACKENDS.names.filter((name) => !UNSAID.has(name)).map((name) => `${name}://`)
    throw new ConfigurationError([
      `result_backend: ${maskUrl(url)} is not supported; expected one of ${known.join(', ')}, or one that registerBackend has added`,
    ])
  }
  try {
    return factory({ ...parts, url, shownUrl: maskUrl(url), settings })
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) throw thrown
    throw new ConfigurationError([`result_backend: ${tlsFault(thrown)}`])
  }
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** A boolean as Python reads it; true unless given. */
function truth(value: unknown): boolean {
  return value === undefined || Boolean(value)
}
