import type { EventSink } from '../broker/eventSink.js'
import { Listeners } from '../listeners.js'
import { EVENT_EXCHANGE } from '../protocol/event.js'
import type { MemoryServer } from './server.js'

/** Sends events to all listeners in this process. */
export class MemoryEventSink implements EventSink {
  open = false
  readonly dropped = 0
  private readonly ups = new Listeners()

  constructor(private readonly server: MemoryServer) {}

  onUp(listener: () => void): () => void {
    return this.ups.add(listener)
  }

  /** Never congested, so never called. */
  onDrain(): () => void {
    return () => undefined
  }

  async start(): Promise<void> {
    if (this.open) return
    this.server.declareExchange(EVENT_EXCHANGE, 'topic')
    this.open = true
    this.ups.tell()
  }

  async stop(): Promise<void> {
    this.open = false
  }

  publish(routingKey: string, hostname: string, content: Buffer): void {
    if (!this.open) return
    this.server.publish({
      exchange: EVENT_EXCHANGE,
      routingKey,
      content,
      properties: {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        deliveryMode: 1,
        priority: 0,
        headers: { hostname },
      },
    })
  }
}
