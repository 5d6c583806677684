import type { Broker, BrokerConnection } from '../../broker/broker.js'
import type { Session } from '../../broker/session.js'
import type { Component } from '../../component.js'
import { tellWorkers } from '../../control/broadcast.js'
import { coerceError } from '../../errors.js'
import type { Clock, Logger } from '../../ports.js'
import type { AmqpProperties } from '../../protocol/amqp.js'
import type { LamportClock } from '../../protocol/lamport.js'
import { seeClock } from '../../protocol/seenClock.js'

/** Celery assumes that a client's clock is this far behind the workers', since a client never receives theirs. */
const CLIENT_CLOCK_SKEW = -1

/** An event as received, with `local_received` added: seconds since the epoch. */
export type CapturedEvent = Readonly<Record<string, unknown>>

export interface CaptureOptions {
  readonly broker: Pick<Broker, 'connect'>
  readonly clock: Clock
  readonly lamport: LamportClock
  readonly log: Logger
  /** Decodes a message. */
  readonly read: (content: Buffer, properties: AmqpProperties) => unknown
  readonly onEvent: (event: CapturedEvent) => void
  /** Called when events are being received. */
  readonly onReady?: () => void
  /** Called when the connection is lost and being opened again. */
  readonly onLost?: () => void
}

/**
 * Receives every event of workers and clients on a queue of its own, also after a lost connection. When the queue is
 * ready, the workers are asked for a heartbeat, so that all are known at once. Mirrors Celery's `events.Receiver`.
 */
export class EventCapture implements Component {
  readonly name = 'event capture'
  private readonly connection: BrokerConnection
  private stopped = false

  constructor(private readonly options: CaptureOptions) {
    this.connection = options.broker.connect({
      onUp: (session) => this.up(session),
      onDown: async () => {
        if (!this.stopped) options.onLost?.()
      },
    })
  }

  start(): Promise<void> {
    return this.connection.start()
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.connection.stop()
  }

  private async up(session: Session): Promise<void> {
    const { clock, lamport, onReady } = this.options
    await session.hearEvents('#', {
      onMessage: (content, properties) => this.receive(content, properties),
      onUnreadable: (error) => this.drop(error),
    })
    onReady?.()
    await tellWorkers(session, { method: 'heartbeat' }, { timeout: 0, clock, lamport })
  }

  /** Handles one event, or an array of task events. */
  private receive(content: Buffer, properties: AmqpProperties): void {
    const { onEvent, read } = this.options
    try {
      for (const event of [read(content, properties)].flat()) {
        const fields = (typeof event === 'object' && event !== null ? event : {}) as Record<string, unknown>
        if (typeof fields.type !== 'string') throw new TypeError('it has no type')
        onEvent(this.received(fields, fields.type))
      }
    } catch (thrown) {
      this.drop(thrown)
    }
  }

  private drop(thrown: unknown): void {
    this.options.log.warning(`An event was dropped: ${coerceError(thrown).message}`)
  }

  private received(event: Record<string, unknown>, type: string): CapturedEvent {
    const now = this.options.clock.now()
    const { timestamp, utcoffset } = event
    // Both in hours west of UTC.
    const here = Math.floor(new Date(now).getTimezoneOffset() / 60)
    const there = utcoffset === undefined ? here : Number(utcoffset)
    return {
      ...event,
      clock: this.clockOf(event, type),
      ...(timestamp === undefined || there === here ? {} : { timestamp: Number(timestamp) - (there - here) * 3600 }),
      local_received: now / 1000,
    }
  }

  private clockOf(event: Record<string, unknown>, type: string): unknown {
    const { lamport } = this.options
    if (type.toLowerCase() === 'task-sent') {
      const clock = (lamport.value || 1) + CLIENT_CLOCK_SKEW
      lamport.adjust(clock)
      return clock
    }
    if (event.clock === undefined) return lamport.forward()
    seeClock(lamport, event.clock)
    return event.clock
  }
}
