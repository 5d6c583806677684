import type { ConsumeMessage, Message } from 'amqplib'

/** A message that was taken and is not acknowledged yet. */
export interface Taken {
  readonly message: ConsumeMessage
  /** The queue that it is moved to. */
  readonly to: string
  readonly key: string | null
  /** Whether it is in that queue. `returned`: the broker has confirmed it, but no queue took it. */
  is: 'here' | 'moved' | 'returned'
}

/** Messages that are being moved, in the order of their queue, and those of one key one after the other. */
export class TakenMessages {
  private readonly all: Taken[] = []
  /** The message under way and those that wait for it, by key. */
  private readonly byKey = new Map<string, Taken[]>()

  /** Adds the next one of the queue. @returns whether none of its key is before it */
  add(taken: Taken): boolean {
    const { key } = taken
    this.all.push(taken)
    if (key === null) return true
    const line = this.byKey.get(key)
    if (line) line.push(taken)
    else this.byKey.set(key, [taken])
    return !line
  }

  /** Ends the turn of a message among those of its key. @returns the one whose turn it is */
  next({ key }: Taken): Taken | null {
    if (key === null) return null
    const line = this.byKey.get(key)
    line?.shift()
    const [following] = line ?? []
    if (following) return following
    this.byKey.delete(key)
    return null
  }

  /** Takes out one that is settled. */
  remove(taken: Taken): void {
    this.all.splice(this.all.indexOf(taken), 1)
  }

  /** Takes out those that are moved and have none before them that isn't. */
  removeFirstMoved(): readonly Taken[] {
    const first = this.all.findIndex(({ is }) => is !== 'moved')
    return this.all.splice(0, first === -1 ? this.all.length : first)
  }

  /** All that are moved. */
  get moved(): readonly Taken[] {
    return this.all.filter(({ is }) => is === 'moved')
  }

  /** Marks the one that the broker has returned. @returns false if it isn't known which that is */
  markReturned({ content, fields, properties }: Message): boolean {
    const taken = this.all.find(
      ({ is, message, to }) =>
        is === 'here' &&
        to === fields.routingKey &&
        message.properties.correlationId === properties.correlationId &&
        message.content.equals(content),
    )
    if (taken) taken.is = 'returned'
    return taken !== undefined
  }
}
