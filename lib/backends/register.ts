import type { ReplyInlet } from '../broker/replyInlet.js'
import type { Backend, Logger, Publisher } from '../ports.js'
import { missingMethods, Register } from '../registers/register.js'
import type { RedisUseSsl } from './redisUrl.js'

/** The settings that a backend is made from, under Celery's names; an absent one has Celery's default. */
export interface BackendSettings {
  /** The URL, as given. */
  readonly result_backend: string | null
  /** Seconds to keep results; null or 0 for forever. */
  readonly result_expires: number | null
  /** Whether results that are sent as messages survive a restart of the broker. */
  readonly result_persistent?: boolean | null
  /** Options that have no place in the URL. */
  readonly result_backend_transport_options?: Readonly<Record<string, unknown>>
  /** TLS to Redis. */
  readonly redis_backend_use_ssl?: RedisUseSsl | null
  /** Seconds without an answer after which a connection is given up; null or 0 for no limit. */
  readonly redis_socket_timeout?: number | null
  /** Seconds that connecting may take. */
  readonly redis_socket_connect_timeout?: number | null
}

/** What a backend receives from the process in which it runs. */
export interface BackendParts {
  /** Sends messages to the broker. */
  readonly publisher: Publisher
  /** The log for outages. */
  readonly log: Logger
  /** For a process that also waits for results that arrive as replies. */
  readonly replies?: {
    /** The name of the reply queue. */
    readonly queue: string
    /** Consumes from the reply queue. */
    readonly inlet: ReplyInlet
  }
}

/** The argument of a backend's factory. */
export interface BackendOptions extends BackendParts {
  /** `result_backend`, as given: it may contain a password. */
  readonly url: string
  /** The URL with `**` in place of a password: the `name` that a backend shows. */
  readonly shownUrl: string
  /** The settings about results. */
  readonly settings: BackendSettings
}

/** Makes a backend for a scheme of `result_backend`. Connects to nothing yet. @throws Error that says what is wrong with the URL */
export type BackendFactory = (options: BackendOptions) => Backend

/** The methods that every backend has; `storeUnlessReady` is optional. */
const METHODS = ['start', 'stop', 'healthy', 'store', 'get', 'subscribe', 'forget'] as const

/** Backends by the scheme of `result_backend`. */
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
 * Adds a result backend: `result_backend` may then be a URL of this scheme. Call it where the app is defined, so that
 * the children of `-P prefork` and `-P threads` have it too. `celeriac/conformance` has the test suite that a backend
 * has to pass.
 * @example registerBackend('dynamodb', ({ url, log }) => new DynamoBackend(url, log))
 * @throws TypeError for a scheme that is taken or invalid, and for a factory that is not a function
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
