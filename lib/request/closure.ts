import type { Request } from './request.js'

/** What a gate no longer lets through: everything, or the messages of some queues. */
export class Closure {
  private readonly queues = new Set<string>()
  private whole = false
  private isSweeping = false
  private isDue = false

  /** True if anything is closed. */
  get isAny(): boolean {
    return this.whole || this.queues.size > 0
  }

  covers({ delivery }: Request): boolean {
    return this.whole || this.queues.has(delivery.queue)
  }

  /** Returns whether the request must go back: it hasn't started, and isn't being sent elsewhere. */
  takes(request: Request): boolean {
    return this.covers(request) && request.state !== 'running' && request.state !== 'done' && !request.leaving
  }

  /** Runs `pass`, and repeats it if it was requested meanwhile: a request that leaves may free the next one. */
  sweep(pass: () => void): void {
    this.isDue = true
    if (this.isSweeping) return
    this.isSweeping = true
    while (this.isDue) {
      this.isDue = false
      pass()
    }
    this.isSweeping = false
  }

  /** @param queue null for everything */
  add(queue: string | null): void {
    if (queue === null) this.whole = true
    else this.queues.add(queue)
  }

  reopen(queue: string): void {
    this.queues.delete(queue)
  }
}
