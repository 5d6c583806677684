import { setMaxListeners } from 'node:events'
import { BrokerError, coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { relay } from '../protocol/delay.js'
import type { Request } from './request.js'
import { returnsOf } from './returns.js'
import type { WorkerState } from './state.js'

/** RabbitMQ 4 drops a message at its 21st return unless its quorum queue says otherwise (`x-delivery-limit`). */
const MOST_RETURNS = 10
/**
 * Milliseconds: a message that is due sooner soon makes room by itself, and would be due before it is back from the
 * broker.
 */
const SOON_MS = 2000

/**
 * Publishes a message that is due far ahead so that it waits in the broker.
 * @param signal ends the wait for the broker
 * @returns false if the message must be published as usual: it is due soon, or can't go that way
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
  /** Seconds: messages that are due later than this don't wait in the worker. */
  readonly etaMemoryLimit: number
  /**
   * `worker_parked_limit`: the number of parked messages at which the intake stops; null where nothing limits the
   * intake.
   */
  readonly parkedLimit: number | null
  readonly state: Pick<WorkerState, 'parked' | 'postponed'>
  readonly postpone: Postpone
  /** Aborted when the process is about to end: nothing waits for the broker any more. */
  readonly working: AbortSignal
  /** Called when the request's message waits in the broker. */
  onDeparted(request: Request): void
  /** Called when the request can't leave, and waits for its ETA in this worker. */
  onStayed(request: Request): void
}

/**
 * Moves messages with an ETA to the broker. Those due far ahead: held here they would stay unacknowledged, and the
 * broker closes a channel that holds a message for too long. Those that arrive while the limit of parked messages is
 * reached: messages behind them may be due now. And those due soon that went back to their queue many times, because
 * workers that held them restarted: as a new message their count starts at 0.
 */
export class Departures {
  private readonly underWay = new Set<Promise<unknown>>()
  /** What ends the wait of each for the broker. */
  private readonly waiting = new Map<Request, AbortController>()
  /** Log lines already written since too many messages were parked. */
  private readonly said = new Set<'goes' | 'stays'>()

  constructor(private readonly options: DeparturesOptions) {
    // A thousand messages may wait for the broker; that is not a leak.
    setMaxListeners(0, options.working)
  }

  /** Postpones a message of our own, such as a retry. @see Postpone */
  async postpone(message: OutgoingMessage, queue: string, delayMs: number): Promise<boolean> {
    return this.isFar(delayMs) && this.options.postpone(message, queue, delayMs, this.options.working)
  }

  /**
   * Sends a parked request on if it is due far ahead, went back often, or takes the place of others. The request waits
   * here until it has left, or for good if it can't leave.
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

  /** Lets what the broker has again leave no more: it would leave once more when it is delivered. */
  forgetLost(): void {
    for (const [{ delivery }, waiting] of this.waiting)
      if (!delivery.live) waiting.abort(new BrokerError('the broker delivers the message again'))
  }

  /** Resolves once no message is being sent. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }

  private async send(request: Request, message: OutgoingMessage, delayMs: number, isOwn: boolean): Promise<void> {
    const { onDeparted, onStayed, state } = this.options
    const { queue } = request.delivery
    const isGone = await this.inTime(request, message, delayMs)
    if (!isOwn) this.tell(isGone, queue)
    if (!isGone) {
      onStayed(request)
      return
    }
    state.postponed++
    onDeparted(request)
  }

  /** Once the message is due it runs here, so that a copy that had not left by then would only run it again. */
  private async inTime(request: Request, message: OutgoingMessage, delayMs: number): Promise<boolean> {
    const { clock, postpone, working } = this.options
    const waiting = new AbortController()
    this.waiting.set(request, waiting)
    const end = (): void => waiting.abort(working.reason)
    const due = clock.setTimer(end, delayMs)
    if (working.aborted) end()
    else working.addEventListener('abort', end, { once: true })
    try {
      return await postpone(message, request.delivery.queue, delayMs, waiting.signal)
    } finally {
      this.waiting.delete(request)
      due.cancel()
      working.removeEventListener('abort', end)
    }
  }

  private tell(isGone: boolean, queue: string): void {
    if (isGone) this.goes()
    else this.stays(`they can't keep what is for ${queue}, whose name may be too long`)
  }

  private failed(request: Request, reason: string, isOwn: boolean): void {
    const { clock, onStayed } = this.options
    onStayed(request)
    // It waits no longer.
    if ((request.message.eta ?? 0) <= clock.now() || !request.delivery.live) return
    if (isOwn) this.options.log.warning(`${request.label} waits for its ETA here: ${reason}`)
    else this.stays(reason)
  }

  private isInTheWay(delayMs: number): boolean {
    const { parkedLimit, state } = this.options
    if (parkedLimit === null) return false
    // Not right below the limit: an episode would begin and end with each message.
    if (state.parked * 2 <= parkedLimit) this.said.clear()
    return state.parked >= parkedLimit && delayMs >= SOON_MS
  }

  /** Logs, once an episode, that messages stay here although they are in the way. */
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
