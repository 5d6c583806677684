import type { App } from '../app/app.js'
import type { Broker } from '../broker/broker.js'
import type { Session } from '../broker/session.js'
import type { Component } from '../component.js'
import { coerceError } from '../errors.js'
import { destinations } from '../fleet/destination.js'
import { Fleet, type LaneIntake } from '../fleet/fleet.js'
import type { FleetInfo } from '../fleet/info.js'
import type { Clock, Logger, Timer } from '../ports.js'
import { contentLimits } from '../settings/contentLimits.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'

/** Milliseconds until a fleet that the broker refuses is joined again. */
const RETRY_MS = 5000

export interface FleetsOptions {
  readonly app: App
  readonly settings: Settings
  readonly nodename: string
  /** The consumed queues that `worker_fleet_queues` names. */
  readonly queues: readonly QueueSpec[]
  /** The most slots that there may be. */
  readonly slots: number
  readonly broker: Broker
  readonly intake: LaneIntake
  readonly clock: Clock
  log(scope: string): Logger
}

/** Takes part in the order of keys over many workers: a fleet for each queue of `worker_fleet_queues`. */
export class Fleets implements Component {
  readonly name = 'fleet'
  private readonly fleets: readonly Fleet[]
  private readonly refused = new Map<string, { readonly reason: string; readonly timer: Timer }>()

  constructor(private readonly options: FleetsOptions) {
    const { app, log, queues, settings } = options
    const { worker_fleet_lanes: lanes } = settings
    this.fleets = queues.map(
      (queue) =>
        new Fleet({
          ...options,
          queue,
          lanes,
          type: settings.worker_fleet_queue_type ?? typeOf(queue),
          log: log('fleet'),
          destinationOf: destinations({
            queue: queue.name,
            tasks: app.tasks,
            limits: contentLimits(settings),
            orderBy: settings.task_order_by,
          }),
        }),
    )
  }

  /** Joins on a new connection, once messages are taken. @throws the reason if that connection ends */
  async up(session: Session): Promise<void> {
    for (const fleet of this.fleets) await this.join(fleet, session)
  }

  /** Fleets that the broker keeps this worker from, each with the reason. */
  get refusals(): readonly string[] {
    return [...this.refused].map(([queue, { reason }]) => `queue ${queue} is not shared with other workers: ${reason}`)
  }

  /** Called when the connection is lost. */
  down(): void {
    this.clear()
    for (const fleet of this.fleets) fleet.down()
  }

  async start(): Promise<void> {
    // Each connection begins it.
  }

  /** Hands all lanes over, each as soon as nothing of it runs. Resolves once the other workers know. */
  async stop(): Promise<void> {
    this.clear()
    await Promise.all(this.fleets.map((fleet) => fleet.leave()))
  }

  /**
   * Begins to change the number of lanes of a queue, if this worker moves its messages.
   * @param limitSeconds how long the lanes may take to become empty, and then running tasks to end
   * @returns a description of what is being done
   * @throws Error with the reason why it can't be done
   */
  relayout(queue: string, lanes: number, limitSeconds: number): string {
    const fleet = this.fleets.find((fleet) => fleet.queue === queue)
    if (!fleet) throw new Error(`${queue} is not a queue of --fleet here`)
    return fleet.relayout(lanes, limitSeconds * 1000)
  }

  /** A refusal must not end the connection, and so take the other queues' messages back. */
  private async join(fleet: Fleet, session: Session): Promise<void> {
    const { clock, log } = this.options
    const { queue } = fleet
    try {
      await fleet.up(session)
      this.refused.delete(queue)
    } catch (thrown) {
      session.ended.throwIfAborted()
      const reason = coerceError(thrown).message
      if (!this.refused.has(queue))
        log('fleet').error(
          `Can't share ${queue} with other workers: ${reason}. Trying again every ${RETRY_MS / 1000} seconds`,
        )
      const timer = clock.setTimer(() => void this.join(fleet, session).catch(() => undefined), RETRY_MS)
      this.refused.set(queue, { reason, timer })
    }
  }

  private clear(): void {
    for (const { timer } of this.refused.values()) timer.cancel()
    this.refused.clear()
  }

  /** Describes each fleet. */
  describe(): readonly FleetInfo[] {
    return this.fleets.map((fleet) => fleet.describe())
  }
}

/** The lanes of a quorum queue are quorum queues, too, unless the settings say otherwise. */
function typeOf(queue: QueueSpec): 'classic' | 'quorum' {
  return queue.arguments['x-queue-type'] === 'quorum' ? 'quorum' : 'classic'
}
