import { coerceError } from '../errors.js'
import type { Clock, Logger, OutgoingMessage } from '../ports.js'
import { relay } from '../protocol/delay.js'
import type { Request } from './request.js'
import { returnsOf } from './returns.js'

/** RabbitMQ 4 drops a message at its 21st return unless its quorum queue says otherwise (`x-delivery-limit`). */
const MOST_RETURNS = 10

export interface DeparturesOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Seconds: what is due later doesn't wait in this worker. */
  readonly etaMemoryLimit: number
  /** Publishes what is due far ahead so that it waits in the broker. @returns false if it can't go that way */
  postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean>
  /** The request's message waits in the broker now. */
  onDeparted(request: Request): void
}

/**
 * Sends on what is due far ahead: held here it would stay unacknowledged, and the broker takes a channel for dead that holds a
 * message too long. And what is due soon but went back to its queue many times, by restarts of workers that held it: as a message of
 * its own it is counted from 0 again.
 */
export class Departures {
  private readonly underWay = new Set<Promise<unknown>>()

  constructor(private readonly options: DeparturesOptions) {}

  /** The same for a message of our own, such as a retry. @returns false if it is due soon or can't go that way: publish it as usual */
  async postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean> {
    return this.isFar(delayMs) && this.options.postpone(message, queue, delayMs)
  }

  /** Sends a parked request on if it is due far ahead, or went back often. Until it has gone, and if it can't go, it waits here. */
  consider(request: Request, delayMs: number): void {
    const { clock, log, onDeparted, postpone } = this.options
    const isToGo = this.isFar(delayMs) || returnsOf(request.delivery) >= MOST_RETURNS
    const message = isToGo ? relay(request.delivery, request.message, clock.now()) : null
    if (!message) return
    request.leaving = true
    const departure = postpone(message, request.delivery.queue, delayMs)
      .then((gone) => gone && onDeparted(request))
      .catch((thrown) => log.warning(`${request.label} waits for its ETA here: ${coerceError(thrown).message}`))
      .finally(() => {
        request.leaving = false
        this.underWay.delete(departure)
      })
    this.underWay.add(departure)
  }

  /** Resolves once nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }

  private isFar(delayMs: number): boolean {
    return delayMs > this.options.etaMemoryLimit * 1000
  }
}
