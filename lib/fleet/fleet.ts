import { randomUUID } from 'node:crypto'
import type { Broker } from '../broker/broker.js'
import type { Destination } from '../broker/fleetSession.js'
import type { QueueDepth } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import { BrokerError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { IncomingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import { Changes } from './changes.js'
import { Holders } from './holders.js'
import type { FleetInfo } from './info.js'
import { laneName } from './laneOf.js'
import { laneSpec, sourceSpec } from './laneSpec.js'
import { LanesChange } from './lanesChange.js'
import { Membership } from './membership.js'
import { Mover } from './mover.js'
import { decodeNews, encodeNews } from './news.js'
import { lanesOf, leaderOf, type News, type Roster, type Table } from './roster.js'
import { Soundings } from './soundings.js'

/** Takes and gives up the queues that are lanes. */
export interface LaneIntake {
  openLane(queue: QueueSpec): Promise<void>
  drainLane(queue: string): Promise<void>
  closeLane(queue: string): Promise<void>
  /** The depths of those of the queues that could be asked; empty without a connection. */
  depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>>
}

export interface FleetOptions {
  readonly queue: QueueSpec
  readonly lanes: number
  readonly type: 'classic' | 'quorum'
  readonly nodename: string
  readonly slots: number
  readonly broker: Pick<Broker, 'publisher' | 'publishing'>
  readonly intake: LaneIntake
  readonly clock: Clock
  readonly log: Logger
  destinationOf(message: IncomingMessage, lanes: number): Destination
}

/** Takes part in keeping the order of one queue's keys over many workers. */
export class Fleet {
  private membership: Membership
  private readonly holders: Holders
  private readonly mover: Mover
  private readonly lanesChange: LanesChange
  private readonly soundings: Soundings
  private readonly changes = new Changes()
  private table: Table
  private readonly exchange: string
  private leaving: Promise<void> | null = null
  /** The share that was last logged. */
  private told = ''

  constructor(private readonly options: FleetOptions) {
    const { broker, clock, destinationOf, intake, lanes, log, queue, type } = options
    this.exchange = `${queue.name}.fleet`
    this.membership = this.newMembership()
    this.table = this.membership.roster.table
    this.soundings = new Soundings({
      queues: () => [queue.name, ...this.table.lanes.map((_, lane) => laneName(queue.name, lane))],
      clock,
      log,
      depths: (queues) => intake.depths(queues),
    })
    this.holders = new Holders({
      clock,
      log,
      keeper: {
        open: (lane) => intake.openLane(laneSpec(queue.name, lane, type)),
        drain: (lane) => intake.drainLane(laneName(queue.name, lane)),
        close: (lane) => intake.closeLane(laneName(queue.name, lane)),
      },
    })
    this.mover = new Mover({
      broker,
      from: sourceSpec(queue),
      lanes,
      type,
      clock,
      log,
      destinationOf,
      onLanes: (found) => {
        if (found !== this.table.lanes.length) void this.membership.share(found)
      },
      onMoving: (isMoving) => this.soundings.turn(isMoving),
    })
    this.lanesChange = new LanesChange({
      queue: queue.name,
      mover: this.mover,
      log,
      depths: (queues) => intake.depths(queues),
    })
  }

  /** Joins on a new connection, once messages are taken. @throws BrokerError where there can be no fleet; or the broker's error */
  async up(session: Session): Promise<void> {
    if (this.leaving) return
    if (!session.fleet) throw new BrokerError('worker_fleet_queues needs RabbitMQ')
    const membership = this.newMembership()
    this.membership = membership
    await session.fleet.hearGroup(this.exchange, this.presence(membership.roster.self.id), {
      onMessage: (content) => {
        const news = decodeNews(content)
        if (news && !this.leaving) membership.hear(news)
      },
      onUnreadable: () => undefined,
    })
    session.ended.throwIfAborted()
    membership.up()
  }

  /**
   * Handles the loss of the connection, and with it of all lanes. The worker comes back as another member: much may
   * have changed by then.
   */
  down(): void {
    this.membership.down()
    this.holders.want([])
    this.holders.lost()
    void this.mover.turn(false)
  }

  /** Hands over all lanes when the worker begins to stop, each as soon as nothing of it runs. */
  async leave(): Promise<void> {
    this.leaving ??= this.handOver()
    await this.leaving
  }

  private async handOver(): Promise<void> {
    this.holders.want([])
    await this.mover.turn(false)
    await this.membership.leave()
  }

  /** Name of the fleet's queue. */
  get queue(): string {
    return this.options.queue.name
  }

  /**
   * Begins to change the number of lanes, if this worker is the mover; `describe` shows the progress.
   * @param limitMs how long the lanes may take to become empty, and then running tasks to end
   * @returns a description of what is being done
   * @throws Error with the reason why it can't be done
   */
  relayout(to: number, limitMs: number): string {
    const { leads, roster } = this.membership
    if (!leads) return `left to ${leaderOf(roster).id}, which shares out the lanes`
    return this.lanesChange.begin(this.table.lanes.length, to, limitMs, this.membership)
  }

  /** Describes the fleet. */
  describe(): FleetInfo {
    const { members, table } = this.membership.roster
    const { phases } = this.holders
    const { name } = this.options.queue
    return {
      queue: name,
      ready: this.soundings.readyIn(name),
      version: table.version,
      leader: leaderOf(this.membership.roster).id,
      members: [...members.values()].map((member) => ({
        ...member,
        lanes: table.lanes.filter((id) => id === member.id).length,
      })),
      lanes: table.lanes.map((holder, lane) => ({
        lane,
        holder,
        here: phases.get(lane) ?? 'closed',
        ready: this.soundings.readyIn(laneName(name, lane)),
      })),
      changes: this.changes.latest,
      relayout: this.lanesChange.last,
      mover: { here: this.mover.isMoving, moved: this.mover.moved, trouble: this.mover.trouble },
    }
  }

  private newMembership(): Membership {
    const { clock, lanes, log, nodename, slots } = this.options
    const membership: Membership = new Membership({
      self: { id: `${nodename}#${randomUUID().slice(0, 8)}`, slots, since: clock.now() },
      lanes,
      clock,
      log,
      say: (news) => this.say(news),
      isThere: (id) => this.isThere(id),
      onRoster: () => {
        if (this.membership === membership) this.follow()
      },
    })
    return membership
  }

  private follow(): void {
    if (this.leaving || !this.membership.isHere) return
    const { roster } = this.membership
    if (roster.table.version > 0) {
      this.changes.note(this.table, roster.table, this.options.clock.now())
      this.table = roster.table
    }
    const lanes = lanesOf(roster)
    this.holders.want(lanes)
    this.tell(lanes.length, roster)
    void this.mover.turn(this.membership.leads && roster.table.version > 0)
  }

  private tell(own: number, { members, table }: Roster): void {
    const { log, queue } = this.options
    const share = `This worker gets ${own} of ${table.lanes.length} lanes of ${queue.name}; workers in the fleet: ${members.size}`
    if (share !== this.told) log.info(share)
    this.told = share
  }

  private presence(id: string): string {
    return `${this.exchange}.${id}`
  }

  private say(news: News): Promise<void> {
    const properties = { contentType: 'application/json', deliveryMode: 1 }
    return this.options.broker.publisher.publish({
      exchange: this.exchange,
      routingKey: '',
      properties,
      content: encodeNews(news),
    })
  }

  private async isThere(id: string): Promise<boolean> {
    const message = {
      exchange: '',
      routingKey: this.presence(id),
      mandatory: true,
      properties: { correlationId: randomUUID(), deliveryMode: 1 },
      content: Buffer.from('{"type":"ping"}'),
    }
    try {
      await this.options.broker.publisher.publish(message)
      return true
    } catch (thrown) {
      if (thrown instanceof BrokerError && !thrown.retriable) return false
      throw thrown
    }
  }
}
