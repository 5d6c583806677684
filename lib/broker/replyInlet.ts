/** The queue that a client gets its results through. One for each process, named by its `oid`, bound to no exchange. */
export interface ReplyQueue {
  /** The `oid` of the process. */
  readonly name: string
  /** It outlives a restart of the broker. */
  readonly durable: true
  /** It goes when nobody consumes from it any more. */
  readonly autoDelete: true
  /** The x-arguments. */
  readonly arguments: {
    /** Milliseconds after which it goes when nobody uses it. */
    readonly 'x-expires'?: number
  }
}

/** Consumes the results that come as messages. */
export interface ReplyInlet {
  /**
   * Declares the queue, consumes from it without acknowledgements, and does both again after a lost connection, until the returned
   * function is called.
   * @throws BrokerError when it can't be declared
   */
  open(queue: ReplyQueue, onReply: (content: Buffer) => void): Promise<() => Promise<void>>
}
