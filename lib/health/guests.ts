import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../ports.js'

/** Connections that are open at a time. */
export const MOST_CONNECTIONS = 64
/** From a request until its answer has been taken, in milliseconds. */
export const LONGEST_ANSWER_MS = 30_000

interface Guest {
  readonly address: string
  /** When it came, or was last answered. */
  servedAt: number
  answering: boolean
  /** It asked again before it had its answer. */
  isPushing: boolean
}

/**
 * The connections of the HTTP server. A new one always gets a place: whoever has gone longest without taking an answer gives up
 * its own, at the address that has the most of them. So no number of clients that never read, never finish a request or only hold
 * on to their connection can keep a probe out.
 */
export class Guests {
  private readonly guests = new Map<Socket, Guest>()

  constructor(private readonly clock: Clock) {}

  /** Takes a new connection in. */
  admit(socket: Socket): void {
    const guest: Guest = {
      address: socket.remoteAddress ?? '',
      servedAt: this.clock.monotonic(),
      answering: false,
      isPushing: false,
    }
    if (this.guests.size >= MOST_CONNECTIONS) this.evict()
    this.guests.set(socket, guest)
    socket.once('close', () => this.guests.delete(socket))
  }

  /**
   * Watches over one answer: a client that doesn't take it in time is cut off, as is one that sends more than it was asked for.
   * @returns false if the request isn't to be answered, since it came before the answer to the last one had been taken: no probe
   * does that, and a few kilobytes of such requests would ask for a thousand pages of metrics
   */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request
    const guest = this.guests.get(socket)
    if (!guest) return false
    if (guest.answering) {
      guest.isPushing = true
      socket.pause()
      return false
    }
    guest.answering = true
    const late = this.clock.setTimer(() => socket.destroy(), LONGEST_ANSWER_MS)
    response.once('close', () => {
      late.cancel()
      guest.answering = false
      guest.servedAt = this.clock.monotonic()
      if (guest.isPushing) socket.destroy()
      // A body that nobody wanted may be on its way still, and have no end.
      else setImmediate(() => request.complete || socket.destroySoon())
    })
    return true
  }

  private evict(): void {
    const perAddress = new Map<string, number>()
    for (const { address } of this.guests.values()) perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    const most = Math.max(...perAddress.values())
    let last: [Socket, Guest] | undefined
    for (const each of this.guests) {
      const [, guest] = each
      if (perAddress.get(guest.address) === most && guest.servedAt < (last?.[1].servedAt ?? Infinity)) last = each
    }
    last?.[0].destroy()
    if (last) this.guests.delete(last[0])
  }
}
