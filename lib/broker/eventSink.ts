/** Where events leave the worker. */
export interface EventSink {
  /** True while it takes events; false without a connection, and while that one is congested. */
  readonly open: boolean
  /** Events that couldn't be sent, whatever the connection. */
  readonly dropped: number
  /** Begins to connect; later calls do nothing. Doesn't wait for the broker. */
  start(): Promise<void>
  /** Sends what was published, then says goodbye. */
  stop(): Promise<void>
  /** Calls `listener` for each new connection, once it is open. @returns a function that removes the listener */
  onUp(listener: () => void): () => void
  /** `listener` is told when it is open again after a congestion. @returns ends it */
  onDrain(listener: () => void): () => void
  /** Neither waits nor throws; to be called only while it is open. */
  publish(routingKey: string, hostname: string, content: Buffer): void
}
