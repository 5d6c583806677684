import type { RedisOptions } from 'ioredis'
import { coerceError } from '../errors.js'
import { tlsOptions } from '../tls.js'
import type { RedisBackendOptions } from './redis.js'
import { remedyOf } from './redisErrors.js'

const SLOWEST_RECONNECT_MS = 2000

/** @param onWrongServer told of a refusal for which another connection is made */
export function connectionOptions(options: RedisBackendOptions, onWrongServer: (error: Error) => void): RedisOptions {
  const { where, db, username, password } = options.target
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
    // By then everything is answered; longer would only hold the process up where the server is gone.
    disconnectTimeout: 200,
    // Results that are stored in the same moment go out in one write.
    enableAutoPipelining: true,
    connectTimeout: options.connectTimeout * 1000,
    socketTimeout: options.socketTimeout * 1000,
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
        ...(sentinelUsername === null ? {} : { sentinelUsername }),
        ...(sentinelPassword === null ? {} : { sentinelPassword }),
        ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      }
    }
    default:
      return where satisfies never
  }
}
