import type { Request } from './request.js'

/** What a gate lets nothing through any more: everything, or what was taken from some queues. */
export class Closure {
  private readonly queues = new Set<string>()
  private whole = false
  private isSweeping = false
  private isDue = false

  /** Whether it is anything at all. */
  get isAny(): boolean {
    return this.whole || this.queues.size > 0
  }

  covers({ delivery }: Request): boolean {
    return this.whole || this.queues.has(delivery.queue)
  }

  /** Whether the request is to go back: it hasn't begun, and isn't on its way elsewhere. */
  takes(request: Request): boolean {
    return this.covers(request) && request.state !== 'running' && request.state !== 'done' && !request.leaving
  }

  /** Runs `pass`, and once more as long as it was asked for meanwhile: what one request leaves behind may let the next one go. */
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
