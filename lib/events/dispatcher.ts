import type { EventSink } from '../broker/eventSink.js'
import type { Component } from '../component.js'
import { coerceError } from '../errors.js'
import { Listeners } from '../listeners.js'
import type { Clock, Logger } from '../ports.js'
import {
  BATCH_ROUTING_KEY,
  type EventFields,
  type EventGroup,
  type EventType,
  encodeEvent,
  groupOf,
  LARGEST_BATCH,
  routingKeyOf,
  utcOffset,
  type WireEvent,
} from '../protocol/event.js'
import type { LamportClock } from '../protocol/lamport.js'

export interface DispatcherOptions {
  /** Node name. */
  readonly hostname: string
  readonly sink: EventSink
  readonly lamport: LamportClock
  readonly clock: Clock
  readonly log: Logger
  /** Groups that are on at the start: `worker`, and with `-E` also `task`. */
  readonly groups: Iterable<EventGroup>
  /** Task events that are kept while the broker is unavailable. */
  readonly mostKept?: number
  /** Bytes of those events at most, as they are sent. */
  readonly mostKeptBytes?: number
  /** Runs a function after the present turn of the event loop. */
  readonly defer?: (fn: () => void) => void
}

/** About 5 MB of events: a minute or two of a busy worker. */
const MOST_KEPT = 10_000
/** Senders choose what names and ids are in an event, and how long they are. */
const MOST_KEPT_BYTES = 16_000_000

/**
 * Sends events for monitors. Worker events are sent one by one. Task events are sent in batches, one or more per turn
 * of the event loop, and kept while the broker is unavailable; worker events are valid only at their time, and are not
 * kept. Mirrors Celery's `EventDispatcher`.
 */
export class EventDispatcher implements Component {
  readonly name = 'events'
  /** Task events dropped since the start: because the buffer was full, or because they could not be encoded. */
  dropped = 0
  private readonly connections = new Listeners()
  private readonly groups: Set<EventGroup>
  private readonly mostKept: number
  private readonly mostKeptBytes: number
  private readonly defer: (fn: () => void) => void
  private batch: WireEvent[] = []
  /** With their sizes, oldest first. */
  private readonly kept = new Map<WireEvent, number>()
  private keptBytes = 0
  private untold = 0
  private deferred = false
  private stopped = false

  constructor(private readonly options: DispatcherOptions) {
    this.groups = new Set(options.groups)
    this.mostKept = options.mostKept ?? MOST_KEPT
    this.mostKeptBytes = options.mostKeptBytes ?? MOST_KEPT_BYTES
    this.defer = options.defer ?? setImmediate
    options.sink.onUp(() => {
      this.connections.tell()
      this.sendKept()
    })
    options.sink.onDrain(() => this.sendKept())
  }

  /** Calls `listener` for each new connection to the broker, before the events that were kept are sent. @returns a function that removes the listener */
  onUp(listener: () => void): () => void {
    return this.connections.add(listener)
  }

  /** Connects, if there is anything to send. */
  async start(): Promise<void> {
    if (this.groups.size > 0 && !this.stopped) await this.options.sink.start()
  }

  /** Sends the events that wait, then no more. */
  async stop(): Promise<void> {
    this.sendBatch()
    this.stopped = true
    await this.options.sink.stop()
  }

  /** Returns whether events of a group are sent: check before computing costly fields. */
  enabled(group: EventGroup): boolean {
    return this.groups.has(group)
  }

  /** Turns task events on. @returns Celery's reply */
  enable(): string {
    if (this.groups.has('task')) return 'task events already enabled'
    this.groups.add('task')
    void this.start()
    this.options.log.info('Events of group {task} enabled by remote.')
    return 'task events enabled'
  }

  /** Turns task events off, even if `-E` has turned them on, which Celery can't do. @returns Celery's reply */
  disable(): string {
    if (!this.groups.delete('task')) return 'task events already disabled'
    this.options.log.info('Events of group {task} disabled by remote.')
    return 'task events disabled'
  }

  /** Sends an event; costs nothing while its group is off. */
  send(type: EventType, fields: EventFields): void {
    const group = groupOf(type)
    if (!this.enabled(group) || this.stopped) return
    const event = this.make(type, this.options.hostname, fields)
    if (group === 'task') this.enqueue(event)
    else if (this.options.sink.open) this.publish(event)
  }

  /** Sends a single event of a client, whatever groups are on: Celery's `task-sent`, which has the publisher's name. */
  sendAs(hostname: string, type: EventType, fields: EventFields): void {
    if (this.stopped) return
    const event = this.make(type, hostname, fields)
    if (this.options.sink.open) {
      this.publish(event)
      return
    }
    this.keep(event)
    void this.options.sink.start()
  }

  private make(type: string, hostname: string, fields: EventFields): WireEvent {
    const now = this.options.clock.now()
    return {
      hostname,
      utcoffset: utcOffset(new Date(now)),
      pid: process.pid,
      clock: this.options.lamport.forward(),
      ...fields,
      timestamp: now / 1000,
      type,
    }
  }

  private enqueue(event: WireEvent): void {
    this.batch.push(event)
    if (this.batch.length >= LARGEST_BATCH) this.sendBatch()
    else if (!this.deferred) {
      this.deferred = true
      this.defer(() => {
        this.deferred = false
        this.sendBatch()
      })
    }
  }

  private sendBatch(): void {
    const events = this.batch
    this.batch = []
    if (events.length === 0) return
    if (this.options.sink.open) this.publishAll(events)
    else for (const event of events) this.keep(event)
  }

  private publish(event: WireEvent): void {
    const content = this.encoded(event, 1)
    if (content) this.options.sink.publish(routingKeyOf(event.type), event.hostname, content)
  }

  private publishAll(events: readonly WireEvent[]): void {
    const content = this.encoded(events, events.length)
    if (content) this.options.sink.publish(BATCH_ROUTING_KEY, this.options.hostname, content)
  }

  /** Null for what can't be encoded, which must neither fail a task nor end the process when the sink is ready again. */
  private encoded(events: WireEvent | readonly WireEvent[], count: number): Buffer | null {
    try {
      return encodeEvent(events)
    } catch (thrown) {
      this.dropped += count
      this.options.log.warning(`Events that cannot be encoded were dropped (${count}): ${coerceError(thrown).message}`)
      return null
    }
  }

  private keep(event: WireEvent): void {
    const size = this.encoded(event, 1)?.length
    if (size === undefined) return
    this.kept.set(event, size)
    this.keptBytes += size
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.mostKept && this.keptBytes <= this.mostKeptBytes) break
      this.forget(oldest)
      this.dropped++
      this.untold++
    }
  }

  private forget(event: WireEvent): void {
    this.keptBytes -= this.kept.get(event) ?? 0
    this.kept.delete(event)
  }

  /** Sends the kept events in order, as far as the sink accepts them; the rest follows when it is ready again. */
  private sendKept(): void {
    if (this.untold > 0) {
      this.options.log.warning(
        `${this.untold} task events were lost while the broker was away: no more than ${this.mostKept}, or ${this.mostKeptBytes / 1e6} MB, are kept`,
      )
      this.untold = 0
    }
    while (this.options.sink.open && this.kept.size > 0) {
      const events = this.takeKept()
      const [first] = events
      if (first && this.isForeign(first)) this.publish(first)
      else this.publishAll(events)
    }
  }

  /** Takes the oldest of the kept events, as many as one message can hold. */
  private takeKept(): WireEvent[] {
    const events: WireEvent[] = []
    for (const event of this.kept.keys()) {
      const alone = this.isForeign(event)
      if (alone && events.length > 0) break
      events.push(event)
      this.forget(event)
      if (alone || events.length >= LARGEST_BATCH) break
    }
    return events
  }

  private isForeign(event: WireEvent): boolean {
    return event.hostname !== this.options.hostname
  }
}
