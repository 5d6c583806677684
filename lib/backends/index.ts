import type { ReplyInlet } from '../broker/replyInlet.js'
import { ConfigurationError } from '../errors.js'
import type { Backend, Logger, Publisher } from '../ports.js'
import { maskUrl } from '../settings/mask.js'
import { tlsFault } from '../tls.js'
import { createDisabledBackend } from './disabled.js'
import { MemoryBackend } from './memory.js'
import { RedisBackend } from './redis.js'
import { parseRedisUrl, type RedisUseSsl } from './redisUrl.js'
import { RpcBackend } from './rpc.js'

/** The settings that a backend is made from, under Celery's names; an absent one has Celery's default. */
export interface BackendSettings {
  readonly result_backend: string | null
  /** Seconds; null or 0 for ever. */
  readonly result_expires: number | null
  readonly result_persistent?: boolean | null
  readonly result_backend_transport_options?: Readonly<Record<string, unknown>>
  readonly redis_backend_use_ssl?: RedisUseSsl | null
  /** Seconds. */
  readonly redis_socket_timeout?: number | null
  /** Seconds. */
  readonly redis_socket_connect_timeout?: number | null
}

export interface BackendParts {
  readonly publisher: Publisher
  readonly log: Logger
  /** For a process that also waits for results that come as replies. */
  readonly replies?: { readonly queue: string; readonly inlet: ReplyInlet }
}

const SUPPORTED = 'rpc://, redis://, rediss://, redis+socket://, sentinel:// and cache+memory://'
const SOCKET_TIMEOUT = 120
const CONNECT_TIMEOUT = 10

/**
 * The backend that `result_backend` names: a URL, or one of Celery's bare names `rpc`, `redis` and `disabled`. Wrap it in a
 * `GuardedBackend` where results must outlast an outage.
 * @throws ConfigurationError for a URL that can't be read, and for stores that aren't supported
 */
export function createBackend(settings: BackendSettings, parts: BackendParts): Backend {
  const url = settings.result_backend?.trim() ?? ''
  const scheme = /^([\w+.-]*?)(?::\/\/|$)/.exec(url)?.[1]?.toLowerCase() ?? url
  switch (scheme) {
    case '':
    case 'disabled':
      return createDisabledBackend()
    case 'rpc':
      return new RpcBackend({
        ...parts,
        resultExpires: settings.result_expires,
        resultPersistent: settings.result_persistent ?? false,
      })
    case 'memory':
    case 'cache+memory':
      return new MemoryBackend()
    case 'redis':
    case 'rediss':
    case 'redis+socket':
    case 'socket':
    case 'sentinel':
      return createRedis(url, settings, parts.log)
    default:
      throw new ConfigurationError([`result_backend: ${masked(url)} is not supported; expected one of ${SUPPORTED}`])
  }
}

function createRedis(url: string, settings: BackendSettings, log: Logger): Backend {
  const options = settings.result_backend_transport_options ?? {}
  const sentinel = recordIn(options.sentinel_kwargs)
  try {
    return new RedisBackend({
      name: masked(url),
      target: parseRedisUrl(url, settings.redis_backend_use_ssl ?? false),
      globalKeyprefix: textIn(options.global_keyprefix),
      resultExpires: settings.result_expires,
      masterName: textIn(options.master_name),
      sentinel: { username: textIn(sentinel.username), password: textIn(sentinel.password) },
      socketTimeout: settings.redis_socket_timeout ?? SOCKET_TIMEOUT,
      connectTimeout: settings.redis_socket_connect_timeout ?? CONNECT_TIMEOUT,
      log,
    })
  } catch (thrown) {
    throw new ConfigurationError([`result_backend: ${tlsFault(thrown)}`])
  }
}

/** Celery also takes the password from the query. */
function masked(url: string): string {
  return maskUrl(url).replace(/([?&]password=)[^&;]*/g, '$1**')
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
