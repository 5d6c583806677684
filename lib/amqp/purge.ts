import type { Logger } from '../ports.js'
import type { Epoch } from './epoch.js'

/** Empties queues once, before a worker first consumes them: `--purge`. */
export class Purge {
  private readonly left: Set<string>
  /** Null while there is nothing to report. */
  private erased: number | null = null

  constructor(
    queues: Iterable<string>,
    private readonly log: Logger,
  ) {
    this.left = new Set(queues)
  }

  /** @throws the broker's refusal */
  async empty(epoch: Epoch, queue: string): Promise<void> {
    if (!this.left.has(queue)) return
    const { messageCount } = await epoch.scratch((channel) => channel.purgeQueue(queue))
    this.left.delete(queue)
    this.erased = (this.erased ?? 0) + messageCount
  }

  /** Logs how many messages were deleted. */
  tell(): void {
    const { erased } = this
    this.erased = null
    if (erased !== null) this.log.warning(`purge: Erased ${erased} message${erased === 1 ? '' : 's'} from the queue.`)
  }
}
