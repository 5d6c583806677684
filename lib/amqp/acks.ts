/** What writes the acknowledgements of one channel. */
export interface AckChannel {
  /** Writes them in as few frames as it can, unless the channel is gone by then. */
  writeAcks(tags: readonly number[]): void
}

/**
 * The acknowledgements that a connection has yet to write, in the order in which they were given. Those of a channel
 * that follow each other are written together: where nothing before them is unsettled, that is one frame for all.
 */
export class Acks {
  private channel: AckChannel | null = null
  private tags: number[] = []

  /** Adds one. Nothing else may be written on its channel before `write`. */
  add(channel: AckChannel, tag: number): void {
    if (this.channel !== channel) this.write()
    this.channel = channel
    this.tags.push(tag)
  }

  /** Writes them all. */
  write(): void {
    const { channel, tags } = this
    if (channel === null) return
    this.channel = null
    this.tags = []
    channel.writeAcks(tags)
  }
}
