import { randomUUID } from 'node:crypto'
import type { Channel } from 'amqplib'
import { coerceError } from '../../errors.js'
import type { Clock, Logger, Timer } from '../../ports.js'
import type { AmqpProperties } from '../../protocol/amqp.js'
import { loads } from '../../protocol/content/content.js'
import type { LamportClock } from '../../protocol/lamport.js'
import { seeClock } from '../../protocol/seenClock.js'
import type { Epoch } from '../epoch.js'
import { headersForAll } from '../headers.js'
import { hear } from './hear.js'

const EXCHANGE = 'celery.pidbox'
const REPLY_EXCHANGE = 'reply.celery.pidbox'
const QUEUE_EXPIRES_MS = 10_000
const MESSAGE_TTL_MS = 300_000
const PRECONDITION_FAILED = 406
/** Workers reply in their own `task_serializer`. Nobody but the broker's users can reach a reply queue. */
const LIMITS = { accept: ['json', 'yaml', 'msgpack'], maxSize: 256 * 1024 * 1024, maxNesting: 512 }

/** A command for the workers. */
export interface ControlCall {
  readonly method: string
  readonly arguments?: Readonly<Record<string, unknown>>
  /** Node names; all workers if not given. */
  readonly destination?: readonly string[] | null
  /** For node names, read by the workers as `matcher` says. */
  readonly pattern?: string | null
  readonly matcher?: 'glob' | 'pcre' | null
}

export interface ControlReply {
  readonly nodename: string
  readonly value: unknown
}

export interface CallOptions {
  /** Seconds without a further reply after which no more are waited for. */
  readonly timeout: number
  readonly clock: Clock
  readonly lamport: LamportClock
  readonly log: Logger
  /** How replies are read; like all other content if not given. */
  readonly read?: ((content: Buffer, properties: AmqpProperties) => unknown) | undefined
  /** Called with each reply as it comes. */
  readonly onReply?: ((reply: ControlReply) => void) | undefined
}

/**
 * Asks the workers and collects what they reply: until all of `destination` have, else until it has been quiet for `timeout`
 * seconds, as Celery's `control.broadcast(reply=True)`. The reply queue is exclusive and goes with the call.
 * @throws BrokerError, or the broker's own error, when it refuses
 */
export async function callWorkers(epoch: Epoch, call: ControlCall, options: CallOptions): Promise<ControlReply[]> {
  const oid = randomUUID()
  const ticket = randomUUID()
  await declareExchange(epoch, EXCHANGE, 'fanout')
  await declareExchange(epoch, REPLY_EXCHANGE, 'direct')
  return epoch.scratch(async (channel) => {
    const queue = `${oid}.${REPLY_EXCHANGE}`
    await channel.assertQueue(queue, {
      durable: false,
      exclusive: true,
      autoDelete: true,
      expires: QUEUE_EXPIRES_MS,
      messageTtl: MESSAGE_TTL_MS,
    })
    await channel.bindQueue(queue, REPLY_EXCHANGE, oid)
    const replies = new Replies(ticket, call.destination ?? null, options)
    await hear(channel, queue, {
      onMessage: (content, properties) => replies.receive(content, properties),
      onUnreadable: (error) => replies.drop(error),
    })
    publish(channel, call, options, { ticket, reply_to: { exchange: REPLY_EXCHANGE, routing_key: oid } })
    return replies.collect()
  })
}

/** Tells the workers, and waits for no answer. Celery's `control.broadcast`. */
export async function tellWorkers(
  epoch: Epoch,
  call: ControlCall,
  options: Pick<CallOptions, 'timeout' | 'clock' | 'lamport'>,
): Promise<void> {
  await declareExchange(epoch, EXCHANGE, 'fanout')
  await epoch.scratch(async (channel) => publish(channel, call, options, {}))
}

/** One that exists with other arguments, which newer versions of Celery may have given it, is used as it is. */
async function declareExchange(epoch: Epoch, name: string, type: string): Promise<void> {
  await epoch
    .scratch((channel) => channel.assertExchange(name, type, { durable: false }))
    .catch((thrown) => {
      if ((thrown as { code?: unknown }).code !== PRECONDITION_FAILED) throw thrown
    })
}

function publish(
  channel: Channel,
  call: ControlCall,
  { clock, lamport, timeout }: Pick<CallOptions, 'timeout' | 'clock' | 'lamport'>,
  reply: { readonly ticket?: string; readonly reply_to?: object },
): void {
  const body = {
    method: call.method,
    arguments: call.arguments ?? {},
    destination: call.destination ?? null,
    pattern: call.pattern ?? null,
    matcher: call.matcher ?? null,
    ...reply,
  }
  channel.publish(EXCHANGE, '', Buffer.from(JSON.stringify(body)), {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 0,
    headers: headersForAll({ clock: lamport.forward(), expires: timeout > 0 ? clock.now() / 1000 + timeout : 0 }),
  })
}

/** What comes back for one ticket. */
class Replies {
  private readonly collected: ControlReply[] = []
  private readonly missing: Set<string> | null
  private end: () => void = () => undefined
  private quiet: Timer | null = null

  constructor(
    private readonly ticket: string,
    destination: readonly string[] | null,
    private readonly options: CallOptions,
  ) {
    this.missing = destination === null || destination.length === 0 ? null : new Set(destination)
  }

  async collect(): Promise<ControlReply[]> {
    if (this.missing?.size !== 0) {
      await new Promise<void>((resolve) => {
        this.end = resolve
        this.wait()
      })
    }
    this.quiet?.cancel()
    return this.collected
  }

  receive(content: Buffer, properties: AmqpProperties): void {
    const { lamport, onReply, read = readContent } = this.options
    const { clock, ticket } = properties.headers ?? {}
    seeClock(lamport, clock)
    if (ticket !== undefined && ticket !== this.ticket) return
    let value: unknown
    try {
      value = read(content, properties)
    } catch (thrown) {
      this.drop(thrown)
      return
    }
    for (const [nodename, answer] of Object.entries(value ?? {})) {
      const reply = { nodename, value: answer }
      this.collected.push(reply)
      onReply?.(reply)
      this.missing?.delete(nodename)
    }
    if (this.missing?.size === 0) this.end()
    else if (this.quiet) this.wait()
  }

  drop(thrown: unknown): void {
    this.options.log.warning(`A reply of a worker can't be read: ${coerceError(thrown).message}`)
  }

  private wait(): void {
    this.quiet?.cancel()
    this.quiet = this.options.clock.setTimer(() => this.end(), this.options.timeout * 1000)
  }
}

function readContent(content: Buffer, properties: AmqpProperties): unknown {
  return loads(content, properties, LIMITS)
}
