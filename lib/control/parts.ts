import type { Registry } from '../app/registry.js'
import type { BreakerInfo } from '../breaker.js'
import type { FleetInfo } from '../fleet/info.js'
import type { Clock, Logger } from '../ports.js'
import type { LaneInfo } from '../request/lanes.js'
import type { Policies } from '../request/policy.js'
import type { Rates } from '../request/rates.js'
import type { Request } from '../request/request.js'
import type { Revoked } from '../request/revoked.js'
import type { WorkerState } from '../request/state.js'
import type { LoggedDecision } from '../scaling/decisionLog.js'
import type { Range } from '../settings/parse.js'
import type { QueueSpec } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import type { Arguments } from './arguments.js'

/* What remote control reads and changes. The worker gives commands these parts, and they see nothing else of it. */

/** The line of requests. */
export interface LinePart {
  readonly state: WorkerState
  readonly lanes: Iterable<LaneInfo<Request>>
  readonly gate: { readonly rates: Rates; unblock(key: string): boolean }
  readonly policies: Policies
  readonly revoked: Revoked
  readonly pool: { readonly size: number; readonly busy: number }
  /**
   * @param signum number of the signal that stops running tasks; null to let them run
   * @returns the ids of those tasks
   */
  revoke(ids: readonly string[], signum: number | null): readonly string[]
  revokeByStamps(stamps: Readonly<Record<string, readonly string[]>>, signum: number | null): void
}

/** The autoscaler: how many slots there may be, and why. Without `--autoscale` its two bounds are equal. */
export interface ScalingPart {
  readonly bounds: Range
  /** Takes effect at once. The minimum is 1 slot, whatever is requested. */
  setBounds(bounds: Range): void
  /** Latest last. */
  readonly decisions: readonly LoggedDecision[]
}

/** Messages that may be unsettled from a queue, and the consumers that take them. */
export interface IntakeInfo {
  readonly queue: string
  readonly consumers: number
  readonly messages: number
}

/** The consumed queues. */
export interface QueuesPart {
  /** The queues as they are declared. */
  readonly queues: readonly QueueSpec[]
  /** Empty while there is no connection. */
  intake(): readonly IntakeInfo[]
  /**
   * Consumes from one more queue, also after a reconnect. A queue that is consumed already is left unchanged.
   * @throws the broker's refusal: then it isn't consumed
   */
  add(queue: QueueSpec): Promise<void>
  /** Stops consuming from a queue; messages that were taken are run. */
  cancel(name: string): void
}

/** Task events. Each reply is Celery's text. */
export interface EventsPart {
  enable(): string
  disable(): string
  /** Sends the heartbeat that Celery sends for this command: `freq` 5 and the sender's fields. */
  heartbeat(): void
}

/** The other workers. */
export interface NeighboursPart {
  /** Answers a worker that starts: the ids revoked here, and the clock; null if it is this worker. */
  hello(args: Arguments): unknown
  /** Becomes a candidate; does nothing without gossip. */
  election(args: Arguments): unknown
}

/** The parts of the worker that commands use. */
export interface ControlParts {
  readonly nodename: string
  /** Version of Celeriac. */
  readonly version: string
  /** The app's module as it was given, for reports. */
  readonly main: string
  readonly tasks: Registry
  readonly settings: Settings
  /** The settings that were given; see `Loaded`. */
  readonly configured: ReadonlyMap<string, unknown>
  readonly clock: Clock
  readonly log: Logger
  readonly lamport: { readonly value: number }
  readonly line: LinePart
  /** What the executor reports about itself; see `Executor`. */
  readonly executor: { describe(): Record<string, unknown> }
  readonly scaling: ScalingPart
  readonly queues: QueuesPart
  /** One fleet for each queue whose order is kept over many workers. */
  readonly fleets: {
    describe(): readonly FleetInfo[]
    /**
     * Begins to change the number of lanes.
     * @param limitSeconds how long they may take to become empty, and then running tasks to end
     * @returns a description of what is being done
     * @throws Error with the reason why it can't be done
     */
    relayout(queue: string, lanes: number, limitSeconds: number): string
  }
  /** Breakers of everything that the worker and its tasks depend on. */
  readonly breakers: Iterable<BreakerInfo>
  readonly events: EventsPart
  readonly neighbours: NeighboursPart
  /** Begins a warm shutdown. */
  shutdown(): void
}
