import { type Authority, type Certificate, certificateAuthority } from './certificates.js'
import { freePort } from './freePort.js'
import { type Rabbitmq, startRabbitmq } from './rabbitmq.js'
import { type Redis, startRedis } from './redis.js'

/**
 * A RabbitMQ and a Redis, each with a port for TLS beside its own. Both are certified for localhost and 127.0.0.1, and let nobody
 * in there without a certificate of the same authority.
 */
export interface TlsServices {
  readonly authority: Authority
  /** Of a client that is let in. */
  readonly client: Certificate
  /** An authority that has nothing to do with them, and a certificate of it. */
  readonly stranger: Authority
  readonly fake: Certificate
  readonly broker: Rabbitmq
  readonly brokerPort: number
  readonly redis: Redis
  readonly redisPort: number
  dispose(): Promise<void>
}

export async function startTlsServices(): Promise<TlsServices> {
  const [authority, stranger] = await Promise.all([certificateAuthority(), certificateAuthority()])
  const server = await authority.issue('server', 'DNS:localhost,IP:127.0.0.1')
  const [brokerPort, redisPort] = [await freePort(), await freePort()]
  const conf = `
    listeners.ssl.1 = 127.0.0.1:${brokerPort}
    ssl_options.cacertfile = ${authority.ca}
    ssl_options.certfile = ${server.cert}
    ssl_options.keyfile = ${server.key}
    ssl_options.verify = verify_peer
    ssl_options.fail_if_no_peer_cert = true
  `
  const port = ['--tls-port', String(redisPort), '--tls-ca-cert-file', authority.ca]
  const pair = ['--tls-cert-file', server.cert, '--tls-key-file', server.key]
  const [broker, redis] = await Promise.all([startRabbitmq({ conf }), startRedis({ more: [...port, ...pair] })])
  return {
    authority,
    client: await authority.issue('worker'),
    stranger,
    fake: await stranger.issue('worker'),
    broker,
    brokerPort,
    redis,
    redisPort,
    dispose: async () => {
      await Promise.all([broker.dispose(), redis.dispose(), authority.dispose(), stranger.dispose()])
    },
  }
}
