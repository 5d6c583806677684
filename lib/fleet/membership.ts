import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import { type Assignment, assign, type Member } from './assignment.js'
import {
  alone,
  heard,
  isForgotten,
  isStale,
  leaderOf,
  type News,
  type Roster,
  type Table,
  versionAfter,
  watchedBy,
} from './roster.js'

/**
 * Milliseconds between two checks of the member that this one watches, and of its own place. One message each, however
 * large the fleet is.
 */
const LOOK_MS = 1000
/** Milliseconds that a new member waits for a table before it announces one itself. */
const FIRST_MS = 1500
/**
 * Milliseconds without a member coming or going before lanes that somebody holds are moved; lanes that nobody holds are
 * given away at once.
 */
const SETTLE_MS = 2000
/** Milliseconds after which the leader repeats its table, for members that have missed it. */
const REPEAT_MS = 10_000
/**
 * Milliseconds of silence after which all members check the leader, not only the one that watches it: they may not know
 * of each other.
 */
const SILENCE_MS = 15_000
/**
 * Milliseconds that the leader may take to answer another leader's table; then a member that follows it introduces
 * itself to the other.
 */
const DOUBT_MS = 3000

export interface MembershipOptions {
  readonly self: Member
  readonly lanes: number
  readonly clock: Clock
  readonly log: Logger
  /** Sends news to all members, this one included. */
  say(news: News): Promise<void>
  /** Returns whether the broker still knows a member's connection. @throws if that can't be found out */
  isThere(id: string): Promise<boolean>
  onRoster(roster: Roster): void
}

/**
 * One member of the fleet: it comes and goes, watches one other, and assigns the lanes while it is the oldest. Nobody
 * waits for an agreement: members that see different fleets for a while want the same lane, and the broker gives it to
 * one of them.
 */
export class Membership {
  private known: Roster
  private state: 'away' | 'here' | 'leaving' = 'away'
  private cameAt = 0
  private changedAt = 0
  private saidAt = Number.NEGATIVE_INFINITY
  /** True if lanes are to be moved once the fleet has settled. */
  private owesBalance = false
  private isSuspended = false
  private leaderHeardAt = 0
  /** Since when another leader's older table is unanswered; null if none is. */
  private doubtedAt: number | null = null
  private timer: Timer | null = null

  constructor(private readonly options: MembershipOptions) {
    this.known = alone(options.self, options.lanes)
  }

  get roster(): Roster {
    return this.known
  }

  /** True while it takes part. */
  get isHere(): boolean {
    return this.state === 'here'
  }

  /** True if this member assigns the lanes, as far as it knows. */
  get leads(): boolean {
    return this.state === 'here' && leaderOf(this.known).id === this.options.self.id
  }

  /**
   * Starts to take part; all news are received from now on. Does not wait for a broker that accepts no messages at
   * present, such as one short of memory.
   */
  up(): void {
    if (this.state === 'leaving') return
    this.state = 'here'
    this.cameAt = this.changedAt = this.leaderHeardAt = this.options.clock.monotonic()
    void this.join()
    this.lookIn(LOOK_MS)
  }

  /** Takes all lanes from everybody, until `share` is called. @throws Error if it is gone */
  async suspend(): Promise<void> {
    if (!this.isHere) throw new Error('this worker has lost its place in the fleet meanwhile')
    this.isSuspended = true
    await this.settle(this.known.table.lanes.map(() => null))
  }

  /** Assigns this number of lanes from now on. */
  async share(lanes: number): Promise<void> {
    this.isSuspended = false
    if (this.leads) await this.settle(assign(new Array<null>(lanes).fill(null), this.known.members.values()))
  }

  /** Called when the connection is lost. */
  down(): void {
    if (this.state === 'here') this.state = 'away'
    this.timer?.cancel()
  }

  /** Takes no more lanes. The others learn of it at once. */
  async leave(): Promise<void> {
    const { state } = this
    this.state = 'leaving'
    this.timer?.cancel()
    if (state === 'here') await this.say({ type: 'leave', id: this.options.self.id })
  }

  hear(news: News): void {
    const before = this.known
    this.known = heard(before, news)
    if (news.type === 'table') this.compare(news.table)
    if (this.known === before) return
    if (this.known.members !== before.members) this.changedAt = this.options.clock.monotonic()
    this.options.onRoster(this.known)
    if (this.leads && isStale(this.known)) this.lookIn(0)
  }

  /**
   * Handles another leader's older table, which comes from a fleet that doesn't know of this one: it began while nobody
   * here sent anything. The leader answers with its own table; if it doesn't, because it is gone, its followers join
   * the other fleet.
   */
  private compare({ leader }: Table): void {
    const { table } = this.known
    if (leader === table.leader) {
      this.leaderHeardAt = this.options.clock.monotonic()
      this.doubtedAt = null
    } else if (this.leads) {
      this.saidAt = Number.NEGATIVE_INFINITY
      this.lookIn(0)
    } else this.doubtedAt ??= this.options.clock.monotonic()
  }

  private get isLost(): boolean {
    return this.doubtedAt !== null && this.options.clock.monotonic() - this.doubtedAt >= DOUBT_MS
  }

  private lookIn(ms: number): void {
    this.timer?.cancel()
    if (this.state === 'here') this.timer = this.options.clock.setTimer(() => void this.look(), ms)
  }

  private async look(): Promise<void> {
    await this.lead()
    if (this.state === 'here' && (this.isLost || isForgotten(this.known))) await this.join()
    await this.watch()
    this.lookIn(LOOK_MS)
  }

  private async lead(): Promise<void> {
    const now = this.options.clock.monotonic()
    const { members, table } = this.known
    if (!this.leads || now - this.cameAt < FIRST_MS) return
    if (this.isSuspended) {
      if (now - this.saidAt >= REPEAT_MS) await this.tell(table.version, table.lanes, table.members)
      return
    }
    const rebalances = now - this.changedAt >= SETTLE_MS
    const all = [...members.values()]
    const lanes = assign(table.lanes, all, { rebalances })
    if (!isStale(this.known) && !(this.owesBalance && rebalances)) {
      if (now - this.saidAt >= REPEAT_MS) await this.tell(table.version, table.lanes, table.members)
      return
    }
    this.owesBalance = !rebalances
    if (isStale(this.known) || lanes.some((id, lane) => id !== table.lanes[lane])) {
      await this.settle(lanes)
    }
  }

  private async settle(lanes: Assignment): Promise<void> {
    const { members, newest, self } = this.known
    const all = [...members.values()]
    const version = versionAfter(newest)
    this.hear({ type: 'table', table: { leader: self.id, version, members: all, lanes } })
    await this.tell(version, lanes, all)
  }

  private async tell(version: number, lanes: Assignment, members: readonly Member[]): Promise<void> {
    this.saidAt = this.options.clock.monotonic()
    await this.say({ type: 'table', table: { leader: this.options.self.id, version, members, lanes } })
  }

  private async watch(): Promise<void> {
    for (const id of [...watchedBy(this.known), ...this.silentLeader()]) {
      if (this.state !== 'here') return
      if (await this.isGone(id)) await this.say({ type: 'leave', id })
    }
  }

  private silentLeader(): readonly string[] {
    const now = this.options.clock.monotonic()
    if (this.leads || now - this.leaderHeardAt < SILENCE_MS) return []
    this.leaderHeardAt = now
    return [leaderOf(this.known).id]
  }

  private async isGone(id: string): Promise<boolean> {
    const { isThere, log } = this.options
    try {
      return !(await isThere(id))
    } catch (thrown) {
      log.debug(`Could not determine whether ${id} is there: ${coerceError(thrown).message}`)
      return false
    }
  }

  private async join(): Promise<void> {
    this.doubtedAt = null
    await this.say({ type: 'join', member: this.options.self, version: this.known.table.version })
  }

  private async say(news: News): Promise<void> {
    try {
      await this.options.say(news)
    } catch (thrown) {
      // Sent again at the next check, as long as it is true.
      this.options.log.debug(`The other members were not told: ${coerceError(thrown).message}`)
    }
  }
}
