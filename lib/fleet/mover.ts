import type { Broker } from '../broker/broker.js'
import type { Destination, FleetSession, Move } from '../broker/fleetSession.js'
import type { Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { IncomingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import { laneSpec } from './laneSpec.js'
import { lanesIn, layoutSpec } from './layout.js'
import { type RelayoutOptions, relayout } from './relayout.js'

/**
 * Milliseconds until the queue is requested again after it was refused or lost: while others consume it, or the last
 * mover isn't gone yet.
 */
const RETRY_MS = 1000
/** Messages that are taken and not yet moved, at most. */
const IN_FLIGHT = 128

export interface MoverOptions {
  readonly broker: Pick<Broker, 'publishing'>
  readonly from: QueueSpec
  /** Number of lanes of a queue without a layout on the broker. */
  readonly lanes: number
  readonly type: 'classic' | 'quorum'
  readonly clock: Clock
  readonly log: Logger
  destinationOf(message: IncomingMessage, lanes: number): Destination
  /** Called, before messages are moved, with the number of lanes on the broker. */
  onLanes(lanes: number): void
  /** Called with true when messages are being moved and all queues exist; with false when that ends. */
  onMoving(isMoving: boolean): void
}

/**
 * Moves the messages of a queue to its lanes while it is on, across lost connections. It is on in one member of a
 * fleet.
 */
export class Mover {
  /** Messages moved since the start of the worker. */
  moved = 0
  /** Why nothing is moved although it is on; null while it moves messages, or is off. */
  trouble: string | null = null
  private on = false
  private running: Promise<void> | null = null
  private move: Move | null = null
  private session: Session | null = null
  private wake: () => void = () => undefined
  /** Number of lanes, as the broker knows it. */
  private lanes: number

  constructor(private readonly options: MoverOptions) {
    this.lanes = options.lanes
  }

  /** True while messages are being moved. */
  get isMoving(): boolean {
    return this.move !== null
  }

  /** Turns it on or off. When off, waits for messages in flight, for 2 s at most. */
  async turn(on: boolean): Promise<void> {
    this.on = on
    if (on) {
      this.running ??= this.run().finally(() => {
        this.running = null
        // It was turned on again meanwhile.
        if (this.on) void this.turn(true)
      })
      return
    }
    this.wake()
    await this.move?.stop()
    await this.running
  }

  /** Runs until it is turned off. */
  private async run(): Promise<void> {
    while (this.on) {
      try {
        const ended = await this.once()
        if (ended) this.tell(ended)
      } catch (thrown) {
        this.tell(coerceError(thrown))
      }
      if (this.on) await this.pause()
    }
    this.trouble = null
  }

  private async once(): Promise<Error | null> {
    const { broker, destinationOf, from, log, onLanes, onMoving, type } = this.options
    const given = new AbortController()
    this.wake = () => given.abort()
    const session = await broker.publishing(given.signal)
    if (!session.fleet) throw new Error('this broker has no fleet')
    const { fleet } = session
    const lanes = await this.lanesOn(fleet)
    this.lanes = lanes
    onLanes(lanes)
    for (let lane = 0; lane < lanes; lane++) await session.declare(laneSpec(from.name, lane, type))
    if (!this.on) return null
    const move = await fleet.move({
      from,
      inFlight: IN_FLIGHT,
      begin: async () => {
        // Nobody else can change it from here on.
        if ((await this.lanesOn(fleet)) !== this.lanes) throw new Error('the number of lanes was changed meanwhile')
      },
      destinationOf: (message) => destinationOf(message, this.lanes),
      onUnreadable: (error) => log.critical(`A message of ${from.name} was rejected: ${error.message}`),
      onMoved: (count) => {
        this.moved += count
      },
    })
    this.move = move
    this.session = session
    this.trouble = null
    onMoving(true)
    log.info(`Messages of ${from.name} are moved to its ${lanes} lanes by this worker`)
    // It was turned off meanwhile.
    if (!this.on) void move.stop()
    try {
      return await move.ended
    } finally {
      this.move = null
      this.session = null
      onMoving(false)
    }
  }

  /**
   * Changes the number of lanes, by `relayout`.
   * @throws Error with the reason why it isn't changed
   */
  async relayout(
    to: number,
    rest: Pick<RelayoutOptions, 'limitMs' | 'depths' | 'suspend' | 'share' | 'onStep'>,
  ): Promise<void> {
    const { move, session } = this
    const { clock, from, log, type } = this.options
    if (!move || !session) throw new Error(this.trouble ?? 'this worker moves no messages')
    try {
      const queue = from.name
      await relayout({ ...rest, queue, type, from: this.lanes, to, session, move, clock, log })
      // If the move ended meanwhile, another mover has taken over, which finds out by itself.
      if (this.move === move) this.lanes = to
    } finally {
      move.resume()
    }
  }

  private async lanesOn(fleet: FleetSession): Promise<number> {
    const { from, lanes } = this.options
    return lanesIn(from.name, await fleet.argumentsOf(layoutSpec(from.name, lanes)))
  }

  private tell({ message }: Error): void {
    if (!this.on || this.trouble === message) return
    this.trouble = message
    this.options.log.warning(
      `Messages of ${this.options.from.name} are not moved to its lanes: ${message}. Trying again every ${RETRY_MS / 1000} s`,
    )
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.options.clock.setTimer(resolve, RETRY_MS)
      this.wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
