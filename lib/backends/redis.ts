import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { coerceError } from '../errors.js'
import { lazily } from '../lazily.js'
import type { Backend, ChordStore, GroupStore } from '../ports.js'
import { decodeResult, type ResultMeta } from '../protocol/result.js'
import { tlsFault } from '../settings/tls.js'
import { BackendError } from './backendError.js'
import { keyPrefix } from './keyPrefix.js'
import { RedisChords } from './redisChords.js'
import { remedyOf } from './redisErrors.js'
import { RedisGroups } from './redisGroups.js'
import { connectionOptions, type RedisBackendOptions } from './redisOptions.js'
import { probe, watch } from './redisSilence.js'
import { expiryOf, StoreScript, textOf } from './storeScript.js'

const ioredis = lazily<typeof import('ioredis')>('ioredis')

const TASK_KEY = 'celery-task-meta-'
const GROUP_KEY = 'celery-taskset-meta-'
/** The longest silence, without a byte in either direction, while an answer is pending. A slow answer is not silence. */
const SILENCE_MS = 5_000
const GOODBYE_MS = 2_000

type Listener = (meta: ResultMeta) => void

/**
 * Results in Redis, as Celery's `RedisBackend` keeps them: under `celery-task-meta-<id>`, published on the channel of that name. No command
 * waits for a connection or is silently sent again: each succeeds or throws.
 */
export class RedisBackend implements Backend {
  readonly name: string
  readonly storesNothing = false
  readonly chords: ChordStore
  readonly groups: GroupStore
  private readonly client: Redis
  private readonly script: StoreScript
  private readonly prefix: string
  /** Whole seconds; 0 for forever. */
  private readonly expires: number
  private readonly listeners = new Map<string, Set<Listener>>()
  private subscriber: Promise<Redis> | null = null
  /** The client that it is, or will be. */
  private listener: Redis | null = null
  /** Why there is no connection; told to the log once an outage, and to every command that fails meanwhile. */
  private fault: string | null = null
  private wasUp = false
  /** Commands without an answer. */
  private asked = 0
  /**
   * Whether it was logged that this server refuses what another server behind its address may accept; each try makes a new connection, and
   * isn't logged again.
   */
  private isWrong = false
  private stopping: Promise<void> | null = null

  constructor(private readonly options: RedisBackendOptions) {
    this.name = options.name
    this.prefix = keyPrefix(options.globalKeyprefix)
    this.client = new (ioredis().Redis)(connectionOptions(options, (error) => this.refused(error)))
    this.client.on('connect', () => watch(this.client, this.silenceMs, () => this.asked > 0))
    this.client.on('error', (error: Error) => this.lost(error))
    this.client.on('ready', () => this.back())
    this.client.on('close', () => this.lost(new Error('the server closed it')))
    this.expires = expiryOf(options.resultExpires)
    this.script = new StoreScript(this.client, options.log)
    const parts = {
      client: this.client,
      log: options.log,
      groupKey: `${this.prefix}${GROUP_KEY}`,
      expires: this.expires,
      attempt: this.attempt.bind(this),
    }
    this.chords = new RedisChords(parts, options.chordOrdered ?? true)
    this.groups = new RedisGroups(parts)
  }

  async start(): Promise<void> {
    if (this.client.status !== 'wait') return
    // It reconnects by itself; `lost` has told about it. By sentinels of which none is there it neither connects nor fails.
    const failed = new Promise<void>((resolve) => this.client.once('error', () => resolve()))
    await Promise.race([this.client.connect().catch((thrown) => this.lost(coerceError(thrown))), failed])
  }

  stop(): Promise<void> {
    this.stopping ??= this.close()
    return this.stopping
  }

  healthy(): boolean {
    return this.client.status === 'ready'
  }

  store(meta: ResultMeta): Promise<void> {
    return this.put(meta, false)
  }

  storeUnlessReady(meta: ResultMeta): Promise<void> {
    return this.put(meta, true)
  }

  private async put(meta: ResultMeta, sparing: boolean): Promise<void> {
    const value = textOf(meta)
    await this.attempt(() => this.script.run(this.keyOf(meta.taskId), value, this.expires, sparing))
  }

  async get(id: string): Promise<ResultMeta | null> {
    const value = await this.attempt(() => this.client.get(this.keyOf(id)))
    return value === null ? null : decodeResult(value)
  }

  async subscribe(id: string, onMeta: Listener): Promise<() => Promise<void>> {
    const channel = this.keyOf(id)
    const listeners = this.listeners.get(channel) ?? new Set()
    // Two calls with the same function are two subscriptions.
    const listener: Listener = (meta) => onMeta(meta)
    listeners.add(listener)
    this.listeners.set(channel, listeners)
    const leave = async (): Promise<void> => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.listeners.get(channel) !== listeners) return
      this.listeners.delete(channel)
      const client = await this.subscriber?.catch(() => null)
      // Without a connection there is no subscription either: the next one subscribes only to channels that still have listeners. Another
      // caller may have subscribed again meanwhile.
      if (client?.status === 'ready' && !this.listeners.has(channel))
        await this.attempt(() => client.unsubscribe(channel))
    }
    try {
      const client = await this.listening()
      await this.attempt(() => client.subscribe(channel))
    } catch (thrown) {
      await leave()
      throw thrown
    }
    return leave
  }

  async forget(id: string): Promise<void> {
    await this.attempt(() => this.client.del(this.keyOf(id)))
  }

  private keyOf(id: string): string {
    return `${this.prefix}${TASK_KEY}${id}`
  }

  private async attempt<T>(command: () => Promise<T>): Promise<T> {
    this.asked++
    try {
      const answer = await command()
      if (this.isWrong) this.options.log.info('Redis accepts results again')
      this.isWrong = false
      return answer
    } catch (thrown) {
      const retriable = remedyOf(thrown) !== 'never'
      const message = (retriable ? this.fault : null) ?? coerceError(thrown).message
      throw new BackendError(`Redis: ${message}`, { retriable, cause: thrown })
    } finally {
      this.asked--
    }
  }

  /** Another connection is tried long before `redis_socket_timeout` has passed. */
  private get silenceMs(): number {
    return Math.min(SILENCE_MS, this.options.socketTimeout * 1000 || SILENCE_MS)
  }

  private refused({ message }: Error): void {
    if (!this.isWrong) this.options.log.warning(`Redis refuses results, connecting again: ${message}`)
    this.isWrong = true
  }

  /** A connection that subscribes can do nothing else, so there is a second one, opened when first needed. */
  private listening(): Promise<Redis> {
    if (this.stopping) return Promise.reject(new BackendError('Redis: the backend was stopped'))
    this.subscriber ??= this.openSubscriber().catch((thrown) => {
      this.subscriber = null
      throw thrown
    })
    return this.subscriber
  }

  private async openSubscriber(): Promise<Redis> {
    const client = this.client.duplicate({ autoResubscribe: false })
    this.listener = client
    client.on('error', (error: Error) => this.options.log.debug(`${this.name}: waiting for results: ${error.message}`))
    client.on('connect', () => probe(client, this.silenceMs))
    client.on('message', (channel: string, value: string) => this.heard(channel, value))
    try {
      await client.connect()
    } catch (thrown) {
      client.disconnect()
      throw new BackendError(`Redis: ${coerceError(thrown).message}`, { cause: thrown })
    }
    client.on('ready', () => void this.resubscribe(client))
    return client
  }

  /** States that were published while the connection was away are read instead. */
  private async resubscribe(client: Redis): Promise<void> {
    try {
      for (const channel of [...this.listeners.keys()]) {
        await client.subscribe(channel)
        const value = await this.client.get(channel)
        if (value !== null) this.heard(channel, value)
      }
    } catch (thrown) {
      this.options.log.warning(
        `${this.name}: could not subscribe again to the results that are waited for: ${coerceError(thrown).message}`,
      )
      // In any other state it connects by itself, and a disconnect while it does would be its end.
      if (client.status === 'ready') client.disconnect(true)
    }
  }

  private heard(channel: string, value: string): void {
    try {
      const meta = decodeResult(value)
      for (const listener of [...(this.listeners.get(channel) ?? [])]) listener(meta)
    } catch (thrown) {
      this.options.log.warning(`${this.name}: ignored what was published on ${channel}: ${coerceError(thrown).message}`)
    }
  }

  private lost(error: Error): void {
    if (this.fault !== null || this.stopping) return
    this.fault = tlsFault(error, this.wasUp ? null : this.options.target.tls) || coerceError(error.cause).message
    if (!this.isWrong) this.options.log.warning(`Connection to Redis lost: ${this.fault}`)
  }

  private back(): void {
    this.wasUp = true
    if (this.fault !== null && !this.isWrong) this.options.log.info('Connected to Redis again')
    this.fault = null
  }

  private async close(): Promise<void> {
    const timer = new AbortController()
    const late = setTimeout(GOODBYE_MS, undefined, { signal: timer.signal }).catch(() => undefined)
    await Promise.race([this.sayGoodbye(), late])
    timer.abort()
    this.client.disconnect()
  }

  private async sayGoodbye(): Promise<void> {
    // Nor is it waited for while it is being opened: by sentinels that may go on for ever.
    this.listener?.disconnect()
    // QUIT is answered after all that was sent before it.
    if (this.client.status === 'ready') await this.client.quit().catch((thrown) => this.lost(coerceError(thrown)))
  }
}
