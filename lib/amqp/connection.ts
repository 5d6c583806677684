import type { ChannelModel } from 'amqplib'
import type { Component } from '../component.js'
import { BrokerError, coerceError } from '../errors.js'
import { aborted } from '../listeners.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { BrokerUrl } from '../settings/brokerUrl.js'
import { tlsFault, tlsOptions } from '../settings/tls.js'
import type { TlsWords } from '../settings/tlsWords.js'
import { VERSION } from '../version.js'
import { Epoch } from './epoch.js'
import { mendReceiving } from './frames.js'
import { type AttemptOutcome, type NextStep, NO_ATTEMPTS, next, type Retrying } from './reconnect.js'

/** All that amqplib tells of a refusal after the login; it drops the broker's own text. */
const NOT_OPENED = /^Expected ConnectionOpenOk; got <ConnectionClose /

function vhostRefused({ username, vhost }: BrokerUrl): string {
  return (
    `the broker refuses the virtual host ${JSON.stringify(vhost)}: it does not exist or is down, or the user ${username} ` +
    'may not use it or has too many connections; the log of the broker says which'
  )
}

export interface ConnectionOptions extends Omit<Retrying, 'urls'> {
  /** The name of this connection on the broker's management page and in our logs: `consumer`, `producer`. */
  readonly name: string
  /** Node name of the worker that owns the connection; none for a client's. */
  readonly node?: string
  /** Whether another connection already logs that the broker is away: then this one logs it at DEBUG only. */
  isTold?(): boolean
  /** The URLs, tried in turn. */
  readonly urls: readonly BrokerUrl[]
  /** Seconds; 0 turns heartbeats off. */
  readonly heartbeat: number
  readonly connectTimeoutMs: number
  /** `broker_use_ssl`; any value but false uses TLS even for an `amqp://` URL, as in Celery. */
  readonly useSsl: boolean | TlsWords
  readonly clock: Clock
  readonly log: Logger
  /** Builds everything that lives on the connection. A failure ends the epoch, and the next attempt follows. */
  onUp(epoch: Epoch): Promise<void>
  /** Drops everything that lived on the connection. */
  onDown(epoch: Epoch): Promise<void>
  /** Called when the connection couldn't be built, and is retried from now on until it can. */
  onWaiting?(): void
  /** Called when the connection couldn't be built. */
  onFailed?(error: Error): void
  /** Called when none of the URLs worked; the connection is retried after a pause. */
  onPause?(error: Error): void
  /** Called with the reason when the broker blocks the connection, and with null when it unblocks it. */
  onBlocked?(reason: string | null): void
  /** No further attempt will be made. */
  gaveUp?(error: Error): void
}

/**
 * A connection that is always either up or being established: epochs, one after another, with backoff and failover
 * between them.
 */
export class Connection implements Component {
  readonly name: string
  private epoch: Epoch | null = null
  private waits = false
  private stopped = false
  private running: Promise<void> | null = null
  private readonly stopping = new AbortController()
  private endPause: () => void = () => undefined

  constructor(private readonly options: ConnectionOptions) {
    this.name = options.name
  }

  /** Starts to connect, also after it has given up; doesn't wait for the broker, which may come up later. */
  async start(): Promise<void> {
    if (this.stopped) return
    this.running ??= this.run()
  }

  /** Makes the next attempt at once, if the connection is pausing before one. */
  retryNow(): void {
    this.endPause()
  }

  /** Ends the present epoch, with all messages that were taken through it; the next one follows. */
  renew(reason: string): void {
    this.epoch?.end(new BrokerError(reason))
  }

  /** Ends the present epoch and starts no other. */
  async stop(): Promise<void> {
    this.stopped = true
    this.stopping.abort()
    await this.epoch?.close()
    await this.running
  }

  private async run(): Promise<void> {
    const { urls } = this.options
    const retrying = { ...this.options, urls: urls.length }
    let attempts = NO_ATTEMPTS
    while (!this.stopped) {
      const url = urls[attempts.url]
      if (!url) return
      const { error, outcome } = await this.attempt(url)
      if (this.stopped) return
      const { attempts: after, step } = next(attempts, outcome, retrying)
      attempts = after
      if (step.does === 'give up') {
        this.running = null
        this.giveUp(error, step.because)
        return
      }
      if (outcome.is === 'lost') {
        this.options.log.warning(`${this.name}: Connection to broker lost. Trying to re-establish the connection...`)
      } else this.tellFailure(url, error, step, attempts.failed)
      if (step.does !== 'retry') continue
      if (outcome.is === 'failed') this.options.onPause?.(error)
      if (step.delayMs > 0) await this.pause(step.delayMs)
    }
  }

  private async attempt(url: BrokerUrl): Promise<{ readonly outcome: AttemptOutcome; readonly error: Error }> {
    try {
      return await this.live(url)
    } catch (thrown) {
      const error = coerceError(thrown)
      if (!this.stopped) this.options.onFailed?.(error)
      return { outcome: { is: 'failed' }, error }
    }
  }

  private tellFailure(url: BrokerUrl, error: Error, step: NextStep, failed: number): void {
    const { isTold, log, onWaiting } = this.options
    const plan =
      step.does === 'retry'
        ? `Trying again in ${(step.delayMs / 1000).toFixed(2)} seconds... (${failed}/${step.most ?? 'no limit'})`
        : 'Will retry using next failover.'
    const text = `${this.name}: Cannot connect to ${url}: ${error.message}.`
    const facts = { details: `\n${plan}` }
    if (isTold?.()) log.debug(text, facts)
    else log.error(text, facts)
    if (step.does !== 'retry' || this.waits) return
    this.waits = true
    onWaiting?.()
  }

  private giveUp(error: Error, because: 'attempts' | 'disabled'): void {
    if (because === 'disabled') {
      this.options.log.critical(
        'Retrying to re-establish a connection to the message broker after a connection loss has been disabled (app.conf.broker_connection_retry=False). Shutting down...',
      )
    }
    this.options.gaveUp?.(error)
  }

  /**
   * One epoch from its first byte to its end.
   * @returns how the epoch ended, and why
   * @throws when the connection couldn't be built
   */
  private async live(url: BrokerUrl): Promise<{ readonly outcome: AttemptOutcome; readonly error: Error }> {
    const { clock, log } = this.options
    const epoch = new Epoch(await this.open(url))
    this.epoch = epoch
    let lastedMs = 0
    try {
      if (!this.stopped) {
        this.waits = false
        if (this.name === 'consumer') log.info(`Connected to ${url}`)
        else log.debug(`${this.name}: Connected to ${url}`)
        await this.options.onUp(epoch)
        const builtAt = clock.monotonic()
        await aborted(epoch.ended)
        lastedMs = clock.monotonic() - builtAt
        if (!this.stopped) log.warning(`${this.name}: ${coerceError(epoch.ended.reason).message}`)
      }
    } finally {
      await epoch.close()
      this.epoch = null
      await this.options.onDown(epoch)
    }
    return { outcome: { is: 'lost', lastedMs }, error: coerceError(epoch.ended.reason) }
  }

  private async open(url: BrokerUrl): Promise<ChannelModel> {
    const { clock, connectTimeoutMs, heartbeat, log, name, node = 'celeriac', onBlocked, useSsl } = this.options
    const words = url.tls || useSsl !== false ? { ...(typeof useSsl === 'object' ? useSsl : {}), ...url.ssl } : null
    // Loaded here, so that programs that use another broker don't load it.
    const { connect, credentials } = await import('amqplib')
    const model = await connect(
      {
        protocol: words ? 'amqps' : 'amqp',
        hostname: url.hostname,
        port: url.port,
        username: url.username,
        password: url.password,
        vhost: encodeURIComponent(url.vhost),
        heartbeat: url.heartbeat ?? heartbeat,
      },
      {
        ...(words ? tlsOptions(words) : {}),
        noDelay: true,
        keepAlive: true,
        timeout: url.connectTimeout === undefined ? connectTimeoutMs : url.connectTimeout * 1000,
        clientProperties: { product: 'celeriac', version: VERSION, connection_name: `${node} ${name}` },
        ...(url.loginMethod === 'EXTERNAL' ? { credentials: credentials.external() } : {}),
        ...(url.loginMethod === 'AMQPLAIN' ? { credentials: credentials.amqplain(url.username, url.password) } : {}),
      },
    ).catch((thrown) => {
      const isRefused = NOT_OPENED.test(coerceError(thrown).message)
      throw new BrokerError(isRefused ? vhostRefused(url) : tlsFault(thrown, words), { cause: thrown })
    })
    mendReceiving(model)
    let blockedAt = 0
    model.on('blocked', (reason) => {
      blockedAt = clock.monotonic()
      log.warning(`${name}: the broker has blocked this connection: ${reason}`)
      onBlocked?.(String(reason))
    })
    model.on('unblocked', () => {
      onBlocked?.(null)
      log.info(
        `${name}: the broker has unblocked this connection, after ${((clock.monotonic() - blockedAt) / 1000).toFixed(1)} seconds`,
      )
    })
    return model
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.stopping.signal.aborted) return resolve()
      const timer: Timer = this.options.clock.setTimer(done, ms)
      const { signal } = this.stopping
      function done(): void {
        timer.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      this.endPause = done
    })
  }
}
