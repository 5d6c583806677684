import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { relay } from '../protocol/delay.js'
import type { Request } from './request.js'
import { returnsOf } from './returns.js'
import type { WorkerState } from './state.js'

/** RabbitMQ 4 drops a message at its 21st return unless its quorum queue says otherwise (`x-delivery-limit`). */
const MOST_RETURNS = 10
/** Milliseconds: what is due sooner makes room by itself, and would be back from the broker before it is due. */
const SOON_MS = 2000

/**
 * Publishes what is due far ahead so that it waits in the broker.
 * @param signal ends the wait for the broker
 * @returns false for what is to be published as usual: it is due soon, or can't go that way
 */
export type Postpone = (
  message: OutgoingMessage,
  queue: string,
  delayMs: number,
  signal?: AbortSignal,
) => Promise<boolean>

export interface DeparturesOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Seconds: what is due later doesn't wait in this worker. */
  readonly etaMemoryLimit: number
  /** `worker_parked_limit`: from so many parked messages on nothing else is taken in; null where nothing limits the intake. */
  readonly parkedLimit: number | null
  readonly state: Pick<WorkerState, 'parked' | 'postponed'>
  readonly postpone: Postpone
  /** The request's message waits in the broker now. */
  onDeparted(request: Request): void
  /** It can't go, and waits for its ETA in this worker. */
  onStayed(request: Request): void
}

/**
 * Sends on what is due far ahead: held here it would stay unacknowledged, and the broker takes a channel for dead that holds a
 * message too long. What comes when as many are parked as may be: behind it may stand what is due now. And what is due soon but went
 * back to its queue many times, by restarts of workers that held it: as a message of its own it is counted from 0 again.
 */
export class Departures {
  private readonly underWay = new Set<Promise<unknown>>()
  /** What was said since the parked messages became too many. */
  private readonly said = new Set<'goes' | 'stays'>()

  constructor(private readonly options: DeparturesOptions) {}

  /** @see Postpone. For a message of our own, such as a retry */
  async postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean> {
    return this.isFar(delayMs) && this.options.postpone(message, queue, delayMs)
  }

  /**
   * Sends a parked request on if it is due far ahead, went back often, or takes the place of others. Until it has gone, and if it can't
   * go, it waits here.
   */
  consider(request: Request, delayMs: number): void {
    const { clock } = this.options
    const isOwn = this.isFar(delayMs) || returnsOf(request.delivery) >= MOST_RETURNS
    if (!isOwn && !this.isInTheWay(delayMs)) return
    const message = relay(request.delivery, request.message, clock.now())
    if (!message) return
    request.leaving = true
    const departure = this.send(request, message, delayMs, isOwn)
      .catch((thrown) => this.failed(request, coerceError(thrown).message, isOwn))
      .finally(() => this.underWay.delete(departure))
    this.underWay.add(departure)
  }

  /** Resolves once nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }

  private async send(request: Request, message: OutgoingMessage, delayMs: number, isOwn: boolean): Promise<void> {
    const { onDeparted, onStayed, postpone, state } = this.options
    const { queue } = request.delivery
    const isGone = await postpone(message, queue, delayMs)
    if (!isOwn) this.tell(isGone, queue)
    if (!isGone) {
      onStayed(request)
      return
    }
    state.postponed++
    onDeparted(request)
  }

  private tell(isGone: boolean, queue: string): void {
    if (isGone) this.goes()
    else this.stays(`they can't keep what is for ${queue}, whose name may be too long`)
  }

  private failed(request: Request, reason: string, isOwn: boolean): void {
    this.options.onStayed(request)
    if (isOwn) this.options.log.warning(`${request.label} waits for its ETA here: ${reason}`)
    else this.stays(reason)
  }

  private isInTheWay(delayMs: number): boolean {
    const { parkedLimit, state } = this.options
    if (parkedLimit === null) return false
    // Not just below the limit: an episode would end and begin with each message.
    if (state.parked * 2 <= parkedLimit) this.said.clear()
    return state.parked >= parkedLimit && delayMs >= SOON_MS
  }

  /** What nothing can be done about. */
  private stays(reason: string): void {
    if (this.said.has('stays')) return
    this.said.add('stays')
    this.options.log.warning(
      `Messages that wait for their ETA hold up other messages, because they cannot be moved to the delay queues: ${reason}`,
    )
  }

  private goes(): void {
    if (this.said.has('goes')) return
    this.said.add('goes')
    const { log, state } = this.options
    log.info(
      `${state.parked} messages are waiting, as many as worker_parked_limit allows: further messages with an ETA wait in the delay queues`,
    )
  }

  private isFar(delayMs: number): boolean {
    return delayMs > this.options.etaMemoryLimit * 1000
  }
}
