import { systemClock } from '../clock.js'
import { BrokerError } from '../errors.js'
import type { Clock, PublishTries } from '../ports.js'
import type { PublishRetryWords } from '../settings/routing.js'
import type { Settings } from '../settings/table.js'

/**
 * How often sending a message is retried after a lost connection, and how long to wait in between. Mirrors Celery's
 * `task_publish_retry_policy`.
 */
export interface PublishRetryPolicy {
  /** Tries after the first one; 0 for none, null for no limit. */
  readonly maxRetries: number | null
  /** Seconds before the first retry. */
  readonly intervalStart: number
  /** Seconds added to each further wait. */
  readonly intervalStep: number
  /** The most seconds of one wait. */
  readonly intervalMax: number
}

/**
 * The tries of one message by a policy, counted over all its waits: for the declaration of its queue, and for the
 * message itself.
 */
export class CountedTries implements PublishTries {
  private retries = 0

  constructor(
    private readonly policy: PublishRetryPolicy,
    private readonly clock: Clock,
  ) {}

  async next(error: Error, stopped: AbortSignal): Promise<void> {
    const { intervalMax, intervalStart, intervalStep, maxRetries } = this.policy
    if (maxRetries !== null && this.retries >= maxRetries) throw this.given(error)
    const seconds = Math.min(intervalStart + this.retries++ * intervalStep, intervalMax)
    if (seconds > 0) await this.wait(seconds * 1000, stopped)
  }

  private given(cause: Error): BrokerError {
    const { retries } = this
    const after = retries === 0 ? '' : ` (after ${retries === 1 ? 'one retry' : `${retries} retries`})`
    return new BrokerError(`${cause.message}${after}`, { cause, facts: { retries } })
  }

  private wait(ms: number, stopped: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        stopped.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.clock.setTimer(done, ms)
      stopped.addEventListener('abort', done)
      if (stopped.aborted) done()
    })
  }
}

const NEVER: PublishRetryPolicy = { maxRetries: 0, intervalStart: 0, intervalStep: 0, intervalMax: 0 }

/**
 * How often one message is tried: by the options of its call, then by the settings.
 * @param ownSettings whether the settings apply if the call doesn't say; a worker's tasks wait for the broker as the
 *   worker does
 * @returns undefined for a message that waits until the broker has it
 */
export function triesOf(
  { retry, retryPolicy }: { readonly retry?: boolean; readonly retryPolicy?: Partial<PublishRetryPolicy> },
  settings: Settings,
  ownSettings: boolean,
): PublishTries | undefined {
  if (retry === undefined && retryPolicy === undefined && !ownSettings) return undefined
  const isRetried = retry ?? (retryPolicy !== undefined || settings.task_publish_retry)
  const policy = isRetried ? { ...policyOf(settings.task_publish_retry_policy), ...given(retryPolicy) } : NEVER
  return new CountedTries(policy, systemClock)
}

function policyOf(words: PublishRetryWords): PublishRetryPolicy {
  return {
    maxRetries: words.max_retries,
    intervalStart: words.interval_start,
    intervalStep: words.interval_step,
    intervalMax: words.interval_max,
  }
}

function given(policy: Partial<PublishRetryPolicy> = {}): Partial<PublishRetryPolicy> {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined))
}
