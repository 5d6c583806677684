/** The queue on which a client receives its results. One for each process, named by its `oid`, bound to no exchange. */
export interface ReplyQueue {
  /** The `oid` of the process. */
  readonly name: string
  /** The queue survives a restart of the broker. */
  readonly durable: true
  /** The queue is deleted when nobody consumes from it any more. */
  readonly autoDelete: true
  /** The x-arguments. */
  readonly arguments: {
    /** Milliseconds after which an unused queue is deleted. */
    readonly 'x-expires'?: number
  }
}

/** Consumes results that arrive as messages. */
export interface ReplyInlet {
  /**
   * Declares the queue and consumes from it without acknowledgements, again after each lost connection, until the
   * returned function is called.
   * @throws BrokerError when the queue can't be declared
   */
  open(queue: ReplyQueue, onReply: (content: Buffer) => void): Promise<() => Promise<void>>
}
