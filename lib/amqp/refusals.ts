import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { Epoch } from './epoch.js'

/** Between two tries of a queue that the broker refuses: doubled from one to the next. */
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 300_000
/** ACCESS_REFUSED, NOT_FOUND, RESOURCE_LOCKED, PRECONDITION_FAILED: they close the channel that asked. */
const OF_CHANNEL: ReadonlySet<unknown> = new Set([403, 404, 405, 406])
/** COMMAND_INVALID (an exchange type that the broker doesn't have), NOT_ALLOWED, NOT_IMPLEMENTED, INTERNAL_ERROR: they end the connection. */
const OF_CONNECTION: ReadonlySet<unknown> = new Set([503, 530, 540, 541])

export interface RefusalsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** It is time to try the queue again. */
  onDue(queue: string): void
}

interface Refusal {
  readonly reason: string
  readonly tries: number
  readonly timer: Timer | null
}

/**
 * Queues that the broker refuses: nothing may be consumed from one of them, and that must not keep the worker from the others. Each
 * is tried again at growing intervals until the broker takes it, or it is cancelled; but one whose refusal ends the connection
 * isn't, since each try would cost the other queues theirs.
 */
export class Refusals {
  private readonly refused = new Map<string, Refusal>()

  constructor(private readonly options: RefusalsOptions) {}

  has(queue: string): boolean {
    return this.refused.has(queue)
  }

  /** What is refused, and why, in words. */
  get reasons(): readonly string[] {
    return [...this.refused].map(([queue, { reason }]) => `queue ${queue} is not consumed: ${reason}`)
  }

  /** Notes a refusal, says so, and sets the time of the next try. */
  add(queue: string, thrown: unknown): void {
    const { clock, log, onDue } = this.options
    const reason = coerceError(thrown).message
    const tries = (this.refused.get(queue)?.tries ?? 0) + 1
    this.clear(queue)
    if (OF_CONNECTION.has(codeOf(thrown))) {
      this.refused.set(queue, { reason, tries, timer: null })
      log.error(
        `Can't consume from ${queue}: ${reason}. Each try ends the connection, so there is no further one: mend the queue's definition and restart the worker, or use add_consumer`,
      )
      return
    }
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries - 1, 16))
    this.refused.set(queue, { reason, tries, timer: clock.setTimer(() => onDue(queue), delayMs) })
    log.error(`Can't consume from ${queue}: ${reason}. Trying again in ${delayMs / 1000} seconds`)
  }

  clear(queue: string): void {
    this.refused.get(queue)?.timer?.cancel()
    this.refused.delete(queue)
  }

  /** Tries none again. */
  stop(): void {
    for (const { timer } of this.refused.values()) timer?.cancel()
  }
}

/**
 * Whether an error that came of using a queue is the broker's refusal of that queue, and not the loss of the connection.
 * @returns what the broker said; null if it was something else
 */
export function refusalOf(thrown: unknown, epoch: Epoch): unknown {
  if (OF_CHANNEL.has(codeOf(thrown))) return thrown
  const { aborted, reason } = epoch.ended
  return aborted && OF_CONNECTION.has(codeOf(reason)) ? reason : null
}

/**
 * Asks for leave to consume, on a channel of its own: a refusal would take the task channel with it, and all that it holds. At most
 * one message is taken, and goes back to its place.
 * @throws the broker's refusal
 */
export function askToConsume(epoch: Epoch, queue: string): Promise<void> {
  return epoch.scratch(async (channel) => {
    await channel.prefetch(1)
    await channel.consume(queue, () => undefined)
  })
}

function codeOf(thrown: unknown): unknown {
  return (thrown as { code?: unknown } | null)?.code
}
