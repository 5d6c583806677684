import type { ReplyInlet } from '../broker/replyInlet.js'
import type { Backend, Logger, Publisher } from '../ports.js'
import { missingMethods, Register } from '../registers/register.js'
import type { RedisUseSsl } from './redisUrl.js'

/** The settings that a backend is made from, under Celery's names; an absent one has Celery's default. */
export interface BackendSettings {
  /** The URL, as it was given. */
  readonly result_backend: string | null
  /** Seconds that results are kept; null or 0 for ever. */
  readonly result_expires: number | null
  /** Whether results that are sent as messages outlive a restart of the broker. */
  readonly result_persistent?: boolean | null
  /** Options that the URL has no place for. */
  readonly result_backend_transport_options?: Readonly<Record<string, unknown>>
  /** TLS to Redis. */
  readonly redis_backend_use_ssl?: RedisUseSsl | null
  /** Seconds. */
  readonly redis_socket_timeout?: number | null
  /** Seconds. */
  readonly redis_socket_connect_timeout?: number | null
}

/** What a backend has of the process that it works in. */
export interface BackendParts {
  /** Sends messages to the broker. */
  readonly publisher: Publisher
  /** Where it tells of outages. */
  readonly log: Logger
  /** For a process that also waits for results that come as replies. */
  readonly replies?: {
    /** The name of the queue that they come to. */
    readonly queue: string
    /** Consumes from it. */
    readonly inlet: ReplyInlet
  }
}

/** What the factory of a backend gets. */
export interface BackendOptions extends BackendParts {
  /** `result_backend`, as it was given: a password may be in it. */
  readonly url: string
  /** The URL with `**` in the place of a password: the `name` that a backend shows. */
  readonly shownUrl: string
  /** The settings about results. */
  readonly settings: BackendSettings
}

/** Makes a backend for a scheme of `result_backend`. Connects to nothing yet. @throws Error that says what is wrong with the URL */
export type BackendFactory = (options: BackendOptions) => Backend

/** What every backend has; `storeUnlessReady` may be missing. */
const METHODS = ['start', 'stop', 'healthy', 'store', 'get', 'subscribe', 'forget'] as const

/** By the scheme of `result_backend`. */
export const BACKENDS = new Register<BackendFactory>('registerBackend', 'a result backend', [
  'rpc',
  'redis',
  'rediss',
  'redis+socket',
  'sentinel',
  'socket',
  'cache+memory',
  'memory',
  'disabled',
])

/**
 * Adds a result backend: `result_backend` may be a URL of this scheme then. Call it where the app is defined, so that the children of
 * `-P prefork` and `-P threads` have it too. `celeriac/conformance` has the suite that a backend has to pass.
 * @example registerBackend('dynamodb', ({ url, log }) => new DynamoBackend(url, log))
 * @throws TypeError for a scheme that is taken or is none, and for a factory that is no function
 */
export function registerBackend(scheme: string, factory: BackendFactory): void {
  BACKENDS.checkScheme(scheme)
  BACKENDS.checkFactory(scheme, factory)
  BACKENDS.add(scheme, (options) => {
    const backend = factory(options)
    const missing = missingMethods(backend, METHODS)
    if (missing !== '') throw new TypeError(`the factory of ${scheme} returned no backend: it lacks ${missing}`)
    return backend
  })
}
