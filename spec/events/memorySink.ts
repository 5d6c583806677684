import type { EventSink } from '../../lib/broker/eventSink.js'
import { Listeners } from '../../lib/listeners.js'
import type { WireEvent } from '../../lib/protocol/event.js'

/** A sink without a broker, which a spec opens and closes, and whose messages it sees. */
export class MemorySink implements EventSink {
  readonly messages: Array<{ routingKey: string; hostname: string; body: WireEvent | WireEvent[] }> = []
  open = false
  readonly dropped = 0
  started = 0
  stopped = 0
  /** Messages after which it is congested. */
  room = Number.POSITIVE_INFINITY
  private readonly connections = new Listeners()
  private readonly drains = new Listeners()

  onUp(listener: () => void): () => void {
    return this.connections.add(listener)
  }

  onDrain(listener: () => void): () => void {
    return this.drains.add(listener)
  }

  async start(): Promise<void> {
    this.started++
  }

  async stop(): Promise<void> {
    this.stopped++
  }

  connect(): void {
    this.open = true
    this.connections.tell()
  }

  drain(room: number): void {
    this.room = room
    this.open = true
    this.drains.tell()
  }

  publish(routingKey: string, hostname: string, content: Buffer): void {
    if (!this.open) throw new Error(`published to a sink that is closed: ${content}`)
    this.messages.push({ routingKey, hostname, body: JSON.parse(content.toString()) })
    this.room--
    if (this.room <= 0) this.open = false
  }

  /** Every event that went out, whatever message it was in. */
  get events(): WireEvent[] {
    return this.messages.flatMap(({ body }) => body)
  }
}
