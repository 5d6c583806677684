import type { Clock, Logger } from '../ports.js'
import type { Decision, Reason } from './controller.js'

/** Number of decisions that are remembered. */
const REMEMBERED = 100

/** Why no slot is opened although one is wanted. */
const HOLDS: Partial<Record<Reason, string>> = {
  'saturated-loop': 'the event loop is saturated, and another slot would take its time from the others',
  memory: 'the memory that the process may have is nearly all in use',
  bounds: '--autoscale allows no more',
}

/** A decision and its time in wall-clock milliseconds. */
export type LoggedDecision = Omit<Decision, 'state'> & { readonly at: number }

/** Keeps the controller's noteworthy decisions, and logs them. */
export class DecisionLog {
  private readonly kept: LoggedDecision[] = []
  private readonly made = new Map<string, number>()
  /** The reason for holding back that was last logged. */
  private told: string | null = null

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** The last decisions, latest last. */
  get decisions(): readonly LoggedDecision[] {
    return this.kept
  }

  /** Number of decisions since the start, by reason. */
  get counts(): ReadonlyMap<string, number> {
    return this.made
  }

  /** Records that slots were opened or closed. @param from number of slots before */
  resized(decision: Decision, from: number): void {
    const { slots, reason, detail } = decision
    this.told = null
    this.remember(decision)
    const change = slots > from ? `up ${slots - from}` : `down ${from - slots}`
    this.log.info(`Scaling ${change} slots to ${slots}: ${reason}`, { slots, reason, ...detail })
  }

  /**
   * Logs why slots don't grow although they are wanted, which would look like a fault: once until they change or the
   * reason does.
   * @param breaker the open breaker, if any
   */
  heldBack(decision: Decision, breaker: string | null): void {
    const { detail, heldBack, reason, slots } = decision
    if (breaker === null && this.told?.startsWith('breaker ')) this.told = null
    const why = reason === 'breaker-open' ? `breaker ${breaker} is open` : HOLDS[reason]
    if (heldBack !== true || why === undefined || why === this.told) return
    this.told = why
    this.remember(decision)
    this.log.info(`Not scaling up from ${slots} slots: ${why}`, { slots, reason, ...detail })
  }

  private remember({ state, ...decision }: Decision): void {
    this.kept.push({ at: this.clock.now(), ...decision })
    if (this.kept.length > REMEMBERED) this.kept.shift()
    this.made.set(decision.reason, (this.made.get(decision.reason) ?? 0) + 1)
  }
}
