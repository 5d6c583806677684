/** An exchange with the queues that it feeds. */
export class Exchange {
  private readonly bound = new Map<string, Set<string>>()

  constructor(readonly type: string) {}

  /** @param key a pattern, for a topic exchange */
  bind(key: string, queue: string): void {
    this.bound.set(key, (this.bound.get(key) ?? new Set()).add(queue))
  }

  /** Removes a queue that is gone. */
  forget(queue: string): void {
    for (const [key, queues] of this.bound) if (queues.delete(queue) && queues.size === 0) this.bound.delete(key)
  }

  /** Returns the queues for a message, each once. */
  route(routingKey: string): ReadonlySet<string> {
    if (this.type === 'direct') return this.bound.get(routingKey) ?? new Set()
    const found = new Set<string>()
    for (const [key, queues] of this.bound)
      if (this.type === 'fanout' || matches(key.split('.'), routingKey.split('.')))
        for (const queue of queues) found.add(queue)
    return found
  }
}

/** Matches AMQP's topics: `*` is one word, `#` any number of words. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return words.length === 0
  if (first === '#') return matches(rest, words) || (words.length > 0 && matches(pattern, words.slice(1)))
  return words.length > 0 && (first === '*' || first === words[0]) && matches(rest, words.slice(1))
}
