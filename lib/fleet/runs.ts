import { createHash } from 'node:crypto'
import type { Broker } from '../broker/broker.js'
import type { FleetSession } from '../broker/fleetSession.js'
import { BrokerError, coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { RunTally } from '../request/poison.js'
import type { QueueSpec } from '../settings/queues.js'
import { isLaneOf } from './laneOf.js'

/** Milliseconds after which an unused count is deleted: a week. */
const EXPIRES_MS = 7 * 24 * 3600 * 1000

export interface LaneRunsOptions {
  /** Names of the queues that have lanes. */
  readonly queues: readonly string[]
  readonly broker: Pick<Broker, 'publishing'>
  readonly log: Logger
}

/**
 * Counts runs of messages from lanes. A quorum queue counts each hand-over of a lane as a return of everything that
 * waits in the worker, and the next holder can't know which messages didn't run there. So the few messages that have
 * returned often get a queue of their own, with a message for each run.
 */
export class LaneRuns implements RunTally {
  constructor(private readonly options: LaneRunsOptions) {}

  covers(queue: string): boolean {
    return this.options.queues.some((source) => isLaneOf(queue, source))
  }

  async begin(id: string, signal: AbortSignal): Promise<number> {
    return (await this.fleet(signal)).countUp(countSpec(id))
  }

  end(id: string): void {
    this.fleet()
      .then((fleet) => fleet.remove(countSpec(id).name))
      .catch((thrown) => {
        this.options.log.debug(`The count of runs of ${id} stays until it expires: ${coerceError(thrown).message}`)
      })
  }

  private async fleet(signal?: AbortSignal): Promise<FleetSession> {
    const { fleet } = await this.options.broker.publishing(signal)
    if (!fleet) throw new BrokerError('this broker has no fleet')
    return fleet
  }
}

/** Ids may be any text, and the name of a queue has 255 bytes at most. */
function countSpec(id: string): QueueSpec {
  const name = `celeriac.runs.${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
  return {
    name,
    durable: true,
    exclusive: false,
    autoDelete: false,
    arguments: { 'x-queue-type': 'quorum', 'x-expires': EXPIRES_MS },
    exchange: { name: '', type: 'direct', durable: true, autoDelete: false },
    routingKey: name,
  }
}
