import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { WireEvent } from '../protocol/event.js'
import type { LamportClock } from '../protocol/lamport.js'
import { seeClock } from '../protocol/seenClock.js'
import { Elections, type ElectionsOptions } from './elections.js'
import type { Members } from './members.js'

const CHECK_MS = 5000
/** Maximum length of a node name: a longer one could not name the queue of a mailbox. */
const LONGEST_NAME = 255

export interface GossipOptions extends Pick<ElectionsOptions, 'apply' | 'send'> {
  readonly nodename: string
  /** The other workers whose events are received. */
  readonly members: Members
  readonly clock: Clock
  readonly lamport: LamportClock
  readonly log: Logger
  /** Process id in our own events. */
  readonly pid?: number
}

/**
 * Follows the events of the other workers: who is there, who has left, and who wins an election. Mirrors Celery's
 * `Gossip`.
 */
export class Gossip {
  private readonly elections: Elections
  private timer: Timer | null = null

  constructor(private readonly options: GossipOptions) {
    const { apply, clock, log, members, nodename, pid = process.pid, send } = options
    const alive = (): number => members.alive.length
    this.elections = new Elections({ node: `${nodename}.${pid}`, clock, log, send, apply, alive })
  }

  /** Handles the control command `election`. */
  election(id: string, topic: string, action: unknown): void {
    if (this.timer) this.elections.hold(id, topic, action)
  }

  /** Called when events begin to come in. */
  up(): void {
    this.timer ??= this.options.clock.setTimer(() => this.check(), CHECK_MS)
  }

  /**
   * Called when no more events come: what was received no longer counts, and nobody is reported missing because we
   * can't hear.
   */
  down(): void {
    this.timer?.cancel()
    this.timer = null
    this.options.members.clear()
    this.elections.clear()
  }

  /** Handles an event of any worker, this one included. Never throws, whatever its fields are. */
  receive(event: WireEvent): void {
    if (!this.timer) return
    try {
      this.hear(event)
    } catch (thrown) {
      this.options.log.error(`gossip: an event was dropped: ${coerceError(thrown).message}`)
    }
  }

  private hear(event: WireEvent): void {
    const { lamport, log, nodename } = this.options
    const { clock, hostname, type } = event
    if (Buffer.byteLength(hostname) > LONGEST_NAME) return
    const isOwn = hostname === nodename
    if (isOwn) lamport.forward()
    else seeClock(lamport, clock)
    if (type === 'worker-elect') this.elections.elect(event)
    else if (type === 'worker-elect-ack') this.elections.acknowledged(event)
    else if (isOwn || !type.startsWith('worker-')) return
    else if (type === 'worker-offline') {
      this.options.members.remove(hostname)
      log.debug(`${hostname} left`)
    } else if (this.options.members.saw(hostname, event) || type === 'worker-online') {
      log.debug(`${hostname} joined the party`)
    }
  }

  private check(): void {
    this.timer = this.options.clock.setTimer(() => this.check(), CHECK_MS)
    for (const hostname of this.options.members.removeSilent())
      this.options.log.info(`missed heartbeat from ${hostname}`)
    this.elections.forgetOld()
  }
}
