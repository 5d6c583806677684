import { type ChannelModel, connect, credentials } from 'amqplib'
import type { Component } from '../component.js'
import { BrokerError, coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { BrokerUrl } from '../settings/brokerUrl.js'
import type { TlsWords } from '../settings/tlsWords.js'
import { tlsFault, tlsOptions } from '../tls.js'
import { VERSION } from '../version.js'
import { Epoch } from './epoch.js'
import { readHeadersOf } from './frames.js'

const FIRST_DELAY_MS = 250
/** An epoch that lasted this long once it was built was a success: there is no pause after it, and the next trouble starts the backoff anew. */
const STABLE_AFTER_MS = 1000

export interface ConnectionOptions {
  /** What the broker's management page and our log lines call this connection: `consumer`, `producer`. */
  readonly name: string
  /** Node name of the worker that it belongs to; none for a client's. */
  readonly node?: string
  /** Whether another connection tells already that the broker is away: then this one tells it at DEBUG only. */
  isTold?(): boolean
  /** Tried in turn. */
  readonly urls: readonly BrokerUrl[]
  /** Seconds; 0 turns heartbeats off. */
  readonly heartbeat: number
  readonly connectTimeoutMs: number
  /** The longest pause between two attempts. */
  readonly maxDelayMs: number
  /** Attempts after which `gaveUp` is called; null for no end. */
  readonly maxRetries: number | null
  /** Whether to try again before it was ever up, and once it was; both if not given. */
  readonly retries?: { readonly atStart: boolean; readonly later: boolean }
  /** `broker_use_ssl`; anything but false speaks TLS even to an `amqp://` URL, as in Celery. */
  readonly useSsl: boolean | TlsWords
  readonly clock: Clock
  readonly log: Logger
  /** Builds all that lives on the connection. A failure ends the epoch, and the next attempt follows. */
  onUp(epoch: Epoch): Promise<void>
  /** Drops all that lived on the connection. */
  onDown(epoch: Epoch): Promise<void>
  /** It couldn't be built, and is tried again from now on until it can. */
  onWaiting?(): void
  /** It couldn't be built. */
  onFailed?(error: Error): void
  /** The broker takes nothing from it, for the reason given, or does again: null. */
  onBlocked?(reason: string | null): void
  /** No further attempt will be made. */
  gaveUp?(error: Error): void
}

/** A connection that is always either up or on its way: epochs, one after another, with backoff and failover between them. */
export class Connection implements Component {
  readonly name: string
  private epoch: Epoch | null = null
  private epochs = 0
  private attempts = 0
  private next = 0
  private hasBeenUp = false
  private waits = false
  private stopped = false
  private running: Promise<void> | null = null
  private readonly stopping = new AbortController()
  private endPause: () => void = () => undefined

  constructor(private readonly options: ConnectionOptions) {
    this.name = options.name
  }

  /** Begins; doesn't wait for the broker, which may come later. */
  async start(): Promise<void> {
    if (this.stopped) return
    this.running ??= this.run()
  }

  /** Makes the next attempt at once, if it waits before one. */
  hurry(): void {
    this.endPause()
  }

  /** Gives the present epoch up, with all that was taken through it; the next one follows. */
  renew(reason: string): void {
    this.epoch?.end(new BrokerError(reason))
  }

  /** Ends the present epoch and begins no other. */
  async stop(): Promise<void> {
    this.stopped = true
    this.stopping.abort()
    await this.epoch?.close()
    await this.running
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const url = this.options.urls[this.next % this.options.urls.length]
      if (!url) return
      try {
        const reason = await this.live(url)
        if (this.stopped) return
        if (!this.retries) {
          this.giveUp(reason)
          return
        }
        this.options.log.warning(`${this.name}: Connection to broker lost. Trying to re-establish the connection...`)
      } catch (thrown) {
        if (this.stopped) return
        const error = coerceError(thrown)
        this.options.onFailed?.(error)
        this.attempts++
        this.next++
        if (this.options.maxRetries !== null && this.attempts > this.options.maxRetries) {
          this.options.gaveUp?.(error)
          return
        }
        const failover = this.next % this.options.urls.length !== 0
        if (!failover && !this.retries) {
          this.giveUp(error)
          return
        }
        const delayMs = failover ? 0 : this.delay()
        const plan = failover
          ? 'Will retry using next failover.'
          : `Trying again in ${(delayMs / 1000).toFixed(2)} seconds... (${this.attempts}/${this.options.maxRetries ?? 'no limit'})`
        const text = `${this.name}: Cannot connect to ${url}: ${error.message}.`
        const facts = { details: `\n${plan}` }
        if (this.options.isTold?.()) this.options.log.debug(text, facts)
        else this.options.log.error(text, facts)
        if (!failover && !this.waits) {
          this.waits = true
          this.options.onWaiting?.()
        }
        await this.pause(delayMs)
      }
    }
  }

  private get retries(): boolean {
    const { atStart, later } = this.options.retries ?? { atStart: true, later: true }
    return this.hasBeenUp ? later : atStart
  }

  private giveUp(error: Error): void {
    this.options.log.critical(
      'Retrying to re-establish a connection to the message broker after a connection loss has been disabled (app.conf.broker_connection_retry=False). Shutting down...',
    )
    this.options.gaveUp?.(error)
  }

  /**
   * One epoch from its first byte to its end.
   * @returns why it ended
   * @throws when it couldn't be built
   */
  private async live(url: BrokerUrl): Promise<Error> {
    const epoch = new Epoch(++this.epochs, await this.open(url))
    this.epoch = epoch
    const { clock } = this.options
    let shaky = true
    try {
      if (this.stopped) return new BrokerError('the connection was stopped')
      const ended = new Promise<void>((resolve) => {
        if (epoch.ended.aborted) resolve()
        else epoch.ended.addEventListener('abort', () => resolve(), { once: true })
      })
      this.waits = false
      if (this.name === 'consumer') this.options.log.info(`Connected to ${url}`)
      else this.options.log.debug(`${this.name}: Connected to ${url}`)
      await this.options.onUp(epoch)
      const builtAt = clock.monotonic()
      this.hasBeenUp = true
      await ended
      shaky = clock.monotonic() - builtAt < STABLE_AFTER_MS
      if (!shaky) this.attempts = 0
      if (!this.stopped) this.options.log.warning(`${this.name}: ${coerceError(epoch.ended.reason).message}`)
    } finally {
      await epoch.close()
      this.epoch = null
      await this.options.onDown(epoch)
    }
    // An epoch that breaks as soon as it is up would otherwise be built over and over without a pause.
    if (shaky && ++this.attempts > 1 && this.retries) await this.pause(this.delay())
    return coerceError(epoch.ended.reason)
  }

  private async open(url: BrokerUrl): Promise<ChannelModel> {
    const { clock, connectTimeoutMs, heartbeat, log, name, node = 'celeriac', onBlocked, useSsl } = this.options
    const words = url.tls || useSsl !== false ? { ...(typeof useSsl === 'object' ? useSsl : {}), ...url.ssl } : null
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
      throw new BrokerError(tlsFault(thrown, words), { cause: thrown })
    })
    readHeadersOf(model)
    let blockedAt = 0
    model.on('blocked', (reason) => {
      blockedAt = clock.monotonic()
      log.warning(`${name}: the broker takes no messages from this connection: ${reason}`)
      onBlocked?.(String(reason))
    })
    model.on('unblocked', () => {
      onBlocked?.(null)
      log.info(
        `${name}: the broker takes messages again, after ${((clock.monotonic() - blockedAt) / 1000).toFixed(1)} seconds`,
      )
    })
    return model
  }

  /** Doubles up to the cap, and is spread by a fifth so that a fleet doesn't come back all at once. */
  private delay(): number {
    const full = Math.min(this.options.maxDelayMs / 1.2, FIRST_DELAY_MS * 2 ** Math.min(this.attempts, 16))
    return full * (0.8 + Math.random() * 0.4)
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
