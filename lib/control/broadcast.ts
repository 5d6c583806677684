import { randomUUID } from 'node:crypto'
import type { Broadcast, Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import { loads } from '../protocol/content/content.js'
import { serializerNames } from '../protocol/content/serializers.js'
import { type ControlCall, encodeControl, PIDBOX_REPLY_EXCHANGE } from '../protocol/control.js'
import type { LamportClock } from '../protocol/lamport.js'
import { seeClock } from '../protocol/seenClock.js'

/** Workers reply in their own `task_serializer`. Only users of the broker can reach a reply queue. */
export const REPLY_LIMITS = {
  get accept() {
    return serializerNames()
  },
  maxSize: 256 * 1024 * 1024,
  maxNesting: 512,
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
  /** Decodes replies; by default like all other content. */
  readonly read?: ((content: Buffer, properties: AmqpProperties) => unknown) | undefined
  /** Called with each reply as it comes. */
  readonly onReply?: ((reply: ControlReply) => void) | undefined
}

/**
 * Sends a command to workers and collects their replies: until all of `destination` have replied, else until no reply
 * has come for `timeout` seconds, as Celery's `control.broadcast(reply=True)`. The reply queue is exclusive, and
 * deleted after the call.
 * @throws BrokerError, or the broker's own error if it refuses
 */
export async function callWorkers(session: Session, call: ControlCall, options: CallOptions): Promise<ControlReply[]> {
  const oid = randomUUID()
  const ticket = randomUUID()
  const replies = new Replies(ticket, call.destination ?? null, options)
  const replyTo = { exchange: PIDBOX_REPLY_EXCHANGE, routing_key: oid }
  const listener = {
    onMessage: (content: Buffer, properties: AmqpProperties) => replies.receive(content, properties),
    onUnreadable: (error: Error) => replies.drop(error),
  }
  const message = controlMessage(call, options, { ticket, reply_to: replyTo })
  let collected: ControlReply[] = []
  await session.ask(oid, message, listener, async () => {
    collected = await replies.collect()
  })
  return collected
}

/** Sends a command to workers without waiting for replies. Celery's `control.broadcast`. */
export async function tellWorkers(
  session: Session,
  call: ControlCall,
  options: Pick<CallOptions, 'timeout' | 'clock' | 'lamport'>,
): Promise<void> {
  await session.broadcast(controlMessage(call, options))
}

/** Makes the message of a command, as Celery's `Mailbox` does. */
export function controlMessage(
  call: ControlCall,
  { clock, lamport, timeout }: Pick<CallOptions, 'timeout' | 'clock' | 'lamport'>,
  reply: { readonly ticket?: string; readonly reply_to?: object } = {},
): Broadcast {
  const expires = timeout > 0 ? clock.now() / 1000 + timeout : 0
  return encodeControl(call, { clock: lamport.forward(), expires }, reply)
}

/** Collects the replies for one ticket. */
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
  return loads(content, properties, REPLY_LIMITS)
}
