import type { RedisOptions } from 'ioredis'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { tlsOptions } from '../settings/tls.js'
import { remedyOf } from './redisErrors.js'
import type { RedisTarget } from './redisUrl.js'

export interface RedisBackendOptions {
  /** The URL without secrets. */
  readonly name: string
  readonly target: RedisTarget
  /** From `result_backend_transport_options`: prepended to every key; `_` is added unless it ends in `: _ - .`. */
  readonly globalKeyprefix: string | null
  /** Seconds; null or 0 keeps results forever. */
  readonly resultExpires: number | null
  /** From `result_backend_transport_options`: the name of the master, with sentinels. */
  readonly masterName: string | null
  /** From `result_backend_transport_options`: credentials for the sentinels themselves. */
  readonly sentinel: { readonly username: string | null; readonly password: string | null }
  /**
   * `result_chord_ordered` of `result_backend_transport_options`; true unless given. Must be the same for all workers
   * of a fleet.
   */
  readonly chordOrdered?: boolean
  /** Seconds without an answer after which a connection is given up. */
  readonly socketTimeout: number
  /** Seconds. */
  readonly connectTimeout: number
  readonly log: Logger
}

const SLOWEST_RECONNECT_MS = 2000
/** Node takes a longer time for 1 ms. */
const LONGEST_MS = 2 ** 31 - 1

/** @param onWrongServer called when a server refuses in a way that calls for another connection */
export function connectionOptions(options: RedisBackendOptions, onWrongServer: (error: Error) => void): RedisOptions {
  const { where, db, username, password } = options.target
  const connectTimeout = Math.min(options.connectTimeout * 1000, LONGEST_MS)
  const tls = options.target.tls === null ? null : tlsOptions(options.target.tls)
  const shared: RedisOptions = {
    db,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // By then everything is answered; waiting longer would only delay the exit of the process when the server is gone.
    disconnectTimeout: 200,
    // Results that are stored at the same moment are sent in one write.
    enableAutoPipelining: true,
    connectTimeout,
    // Zero is none: ioredis would end each connection at once.
    ...(options.socketTimeout > 0 ? { socketTimeout: Math.min(options.socketTimeout * 1000, LONGEST_MS) } : {}),
    reconnectOnError: (error) => {
      const isWrong = remedyOf(error) === 'reconnect'
      if (isWrong) onWrongServer(coerceError(error))
      return isWrong
    },
    retryStrategy: (times) => Math.min(times * 100, SLOWEST_RECONNECT_MS),
  }
  switch (where.kind) {
    case 'tcp':
      return { ...shared, host: where.host, port: where.port }
    case 'socket':
      return { ...shared, path: where.path }
    case 'sentinel': {
      const { username: sentinelUsername, password: sentinelPassword } = options.sentinel
      return {
        ...shared,
        sentinels: [...where.sentinels],
        name: options.masterName ?? 'mymaster',
        // One that is frozen takes connections; the next one is asked.
        sentinelCommandTimeout: connectTimeout,
        ...(sentinelUsername === null ? {} : { sentinelUsername }),
        ...(sentinelPassword === null ? {} : { sentinelPassword }),
        ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      }
    }
    default:
      return where satisfies never
  }
}
