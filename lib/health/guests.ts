import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../ports.js'

/** Connections that are open at a time. */
export const MOST_CONNECTIONS = 64
/** Milliseconds from a request until its response must have been taken. */
export const LONGEST_ANSWER_MS = 30_000

interface Guest {
  readonly address: string
  /** When the connection was opened, or last took a response. */
  servedAt: number
  answering: boolean
  /** True if it sent another request before it had its response. */
  isPushing: boolean
}

/**
 * The connections of the HTTP server. A new one always gets a place: the connection that has gone longest without
 * taking a response is closed, at the address that has the most of them. So a probe can't be kept out, however many
 * clients never read, never finish a request or only keep their connection open.
 */
export class Guests {
  private readonly guests = new Map<Socket, Guest>()

  constructor(private readonly clock: Clock) {}

  /** Accepts a new connection. */
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
   * Watches over one response: a client that doesn't take it in time is cut off, as is one that sends more than one
   * request at a time.
   * @returns false if the request must not be answered, since it came before the last response had been taken: no probe
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
      // A body that nobody wanted may still be arriving, and never end.
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
