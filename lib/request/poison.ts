import { BrokerError, coerceError } from '../errors.js'
import type { Clock, Delivery, Logger } from '../ports.js'
import type { TaskMessage } from '../protocol/message.js'
import { labelOf, type Request } from './request.js'
import { Returns } from './returns.js'

/** Counts runs that began and did not end. The count survives the end of any worker. */
export interface RunTally {
  /**
   * Returns whether returns to the queue say little about runs: others may have given the message back without a run.
   */
  covers(queue: string): boolean
  /**
   * Counts the beginning of a run.
   * @param signal ends the wait for the broker
   * @returns how many runs of the message have begun before, one after another, without an end
   * @throws the broker's error, if it can't be counted
   */
  begin(id: string, signal: AbortSignal): Promise<number>
  /** Counts the end of a run, whatever its outcome: no earlier run was to blame. */
  end(id: string): void
}

export interface PoisonOptions {
  /** `worker_max_deliveries`; null for no limit. */
  readonly maxDeliveries: number | null
  /** Absent where no queue needs it. */
  readonly tally?: RunTally
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Finds messages that have come back too often, so that one that ends its worker each time is not run forever. Quorum
 * queues count returns. Where hand-overs between workers count as returns, too, runs are counted from half the limit
 * on, and a message is rejected at the limit only if the other half of its returns were runs that began and never
 * ended.
 */
export class Poison {
  private readonly returns = new Returns()
  /** Running requests that were counted. */
  private readonly counted = new WeakSet<Request>()

  constructor(private readonly options: PoisonOptions) {}

  /** Notes that the broker has the request's message again and that it hasn't run. */
  returnedUnrun({ id }: Request): void {
    this.returns.add(id)
  }

  /**
   * @returns why a message that has arrived is to be rejected; null if it isn't. A message that isn't due yet has never
   * run
   */
  onArrival(delivery: Delivery, { eta, id }: TaskMessage): string | null {
    const { clock, maxDeliveries, tally } = this.options
    if (maxDeliveries === null || tally?.covers(delivery.queue)) return null
    if (eta !== null && eta > clock.now()) return null
    const returns = this.returns.countable(id, delivery)
    return returns < maxDeliveries ? null : tooOften(returns, maxDeliveries)
  }

  /**
   * Checks a request that has a slot and is about to run.
   * @returns null if nothing is to be counted; otherwise resolves with why it is to be rejected, or null
   * @throws Error if it was told to stop
   */
  onRun(request: Request): Promise<string | null> | null {
    const { maxDeliveries, tally } = this.options
    const { acksLate, delivery } = request
    if (maxDeliveries === null || !tally || !delivery.isCounted || !acksLate) return null
    if (!tally.covers(delivery.queue)) return null
    const returns = this.returns.countable(request.id, delivery)
    if (returns < halfOf(maxDeliveries)) return null
    this.counted.add(request)
    return this.count(request, returns, maxDeliveries, tally)
  }

  /** Notes that a run has ended. */
  afterRun(request: Request): void {
    if (this.counted.delete(request)) this.options.tally?.end(request.id)
  }

  private async count(request: Request, returns: number, most: number, tally: RunTally): Promise<string | null> {
    const { signal } = request
    try {
      const runs = await tally.begin(request.id, signal)
      if (signal.aborted) throw new BrokerError('it was told to stop before it ran')
      return returns >= most && runs >= most - halfOf(most) ? tooOften(returns, most) : null
    } catch (thrown) {
      if (signal.aborted) throw thrown
      const { message } = coerceError(thrown)
      this.options.log.warning(`A run of task ${labelOf(request.message)} could not be counted: ${message}`)
      return returns >= most ? `${tooOften(returns, most)}, and its runs could not be counted` : null
    }
  }
}

function halfOf(most: number): number {
  return Math.floor(most / 2)
}

function tooOften(returns: number, most: number): string {
  return `it was delivered ${returns} times before, and worker_max_deliveries is ${most}`
}
