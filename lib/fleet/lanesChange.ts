import type { QueueDepth } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { FleetInfo } from './info.js'
import type { Membership } from './membership.js'
import type { Mover } from './mover.js'

export interface LanesChangeOptions {
  readonly queue: string
  readonly mover: Pick<Mover, 'isMoving' | 'relayout' | 'trouble'>
  readonly log: Logger
  depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>>
}

/** A change of the number of lanes that an operator has asked for, one at a time. */
export class LanesChange {
  /** The last change, with its progress. */
  last: FleetInfo['relayout'] = null
  private isUnderWay = false

  constructor(private readonly options: LanesChangeOptions) {}

  /**
   * @param limitMs how long the lanes may take to become empty, and then running tasks to end
   * @returns a description of what is being done
   * @throws Error with the reason why it can't be done
   */
  begin(from: number, to: number, limitMs: number, membership: Pick<Membership, 'share' | 'suspend'>): string {
    const { mover, queue } = this.options
    if (this.isUnderWay) throw new Error(`the number of lanes of ${queue} is being changed already`)
    if (to === from) throw new Error(`${queue} has ${from} lanes already`)
    if (!mover.isMoving) throw new Error(mover.trouble ?? `messages of ${queue} are not being moved yet`)
    void this.change(from, to, limitMs, membership)
    return `the lanes of ${queue} are being changed from ${from} to ${to}; "inspect fleet" shows when it is done`
  }

  private async change(
    from: number,
    to: number,
    limitMs: number,
    membership: Pick<Membership, 'share' | 'suspend'>,
  ): Promise<void> {
    const { depths, log, mover, queue } = this.options
    const onStep = (step: string): void => {
      this.last = { to, step }
    }
    this.isUnderWay = true
    try {
      const suspend = (): Promise<void> => membership.suspend()
      const share = (): Promise<void> => membership.share(from)
      await mover.relayout(to, { limitMs, depths, suspend, share, onStep })
      await membership.share(to)
    } catch (thrown) {
      const reason = `not changed: ${coerceError(thrown).message}`
      onStep(reason)
      log.warning(`Lanes of ${queue}, ${from} to ${to}: ${reason}`)
      await membership.share(from)
    } finally {
      this.isUnderWay = false
    }
  }
}
