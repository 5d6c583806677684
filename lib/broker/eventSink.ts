/** Sends the worker's events. */
export interface EventSink {
  /** Whether events are accepted; false without a connection, and while the connection is congested. */
  readonly open: boolean
  /** Events that couldn't be sent, over all connections. */
  readonly dropped: number
  /** Starts to connect, without waiting for the broker; later calls do nothing. */
  start(): Promise<void>
  /** Sends the events that were published, then closes the connection. */
  stop(): Promise<void>
  /** Calls `listener` for each new connection, once it is open. @returns a function that removes the listener */
  onUp(listener: () => void): () => void
  /** Calls `listener` when the sink is open again after congestion. @returns a function that removes the listener */
  onDrain(listener: () => void): () => void
  /** Neither waits nor throws; must be called only while the sink is open. */
  publish(routingKey: string, hostname: string, content: Buffer): void
}
