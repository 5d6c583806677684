import type { Request } from '../request/request.js'

/**
 * Aborts one try of a request, at a time limit of the try or together with the request, whose own signal is for all its
 * tries. Not `AbortSignal.any`: Node keeps such a signal for good if it has a listener and none of its sources is ever
 * aborted, and that is what happens to a task that ends in time.
 */
export class TryLimit {
  private readonly controller = new AbortController()
  private followed: AbortSignal | null = null
  /** True once the hard limit has passed. */
  isOver = false

  /** True once a limit has passed, or the request has been aborted while its task had the signal. */
  get aborted(): boolean {
    return this.controller.signal.aborted
  }

  get reason(): unknown {
    return this.controller.signal.reason
  }

  /** Returns the signal for a task that asks for one; from then on the abort of the request is forwarded to it. */
  signalFor(request: Pick<Request, 'signal'>): AbortSignal {
    if (this.followed !== null || this.aborted) return this.controller.signal
    const { signal } = request
    if (signal.aborted) this.controller.abort(signal.reason)
    else {
      this.followed = signal
      signal.addEventListener('abort', this.forward)
    }
    return this.controller.signal
  }

  abort(reason: Error): void {
    this.controller.abort(reason)
    this.end()
  }

  /** Forgets the request. To be called when the try ends. */
  end(): void {
    this.followed?.removeEventListener('abort', this.forward)
    this.followed = null
  }

  private readonly forward = (): void => {
    this.controller.abort(this.followed?.reason)
  }
}
