import type { Clock, Logger } from '../ports.js'
import { decodeRevoked, encodeRevoked, type RevokedSet } from '../protocol/hello.js'
import type { LamportClock } from '../protocol/lamport.js'
import { repr } from '../protocol/repr.js'
import { seeClock } from '../protocol/seenClock.js'
import type { Revoked } from '../request/revoked.js'
import type { Arguments } from './arguments.js'

/** The other workers on the broker. */
export interface Neighbours {
  /**
   * Sends the control command `hello` to all of them. Resolves with their replies by node name when the time is up; at
   * once if nobody can receive it; with the replies so far if the connection is lost.
   */
  hello(args: Arguments): Promise<ReadonlyMap<string, unknown>>
}

export interface MingleOptions {
  readonly nodename: string
  readonly revoked: Revoked
  readonly clock: Clock
  readonly lamport: LamportClock
  readonly log: Logger
  /** Seconds on the machine's monotonic clock, the one that Python's `time.monotonic()` reads. */
  monotonic?(): number
}

/**
 * Exchanges, at the start, revoked tasks and logical clocks with the other workers. Mirrors Celery's `Mingle` and its
 * hidden control command `hello`.
 */
export class Mingle {
  private readonly monotonic: () => number

  constructor(private readonly options: MingleOptions) {
    this.monotonic = options.monotonic ?? (() => Number(process.hrtime.bigint()) / 1e9)
  }

  /**
   * Handles the control command `hello` of another worker that starts and tells what it knows.
   * @returns what this worker knows; null if it came from itself
   */
  hello(args: Arguments): Readonly<Record<string, unknown>> | null {
    const { lamport, log, nodename } = this.options
    const { from_node: from } = args
    if (from === nodename) return null
    log.info(`sync with ${String(from)}`)
    this.learn(args)
    return { ...this.known(), clock: lamport.forward() }
  }

  /**
   * Asks the neighbours and learns what they know. Must be done at each connection, before messages are taken.
   * @returns how many answered
   */
  async sync(neighbours: Neighbours): Promise<number> {
    const { log, nodename } = this.options
    log.info('mingle: searching for neighbors')
    const replies = new Map(await neighbours.hello({ from_node: nodename, ...this.known() }))
    replies.delete(nodename)
    if (replies.size === 0) {
      log.info('mingle: all alone')
      return 0
    }
    const answered = [...replies].filter(([, reply]) => reply !== null)
    log.info(`mingle: sync with ${answered.length} nodes`)
    for (const [name, reply] of answered) this.merge(name, reply)
    log.info('mingle: sync complete')
    return answered.length
  }

  private merge(name: string, reply: unknown): void {
    const { lamport, log } = this.options
    log.debug(`mingle: processing reply from ${name}`)
    if (typeof reply !== 'object' || reply === null || 'error' in reply) {
      log.warning(`mingle: sync with ${name} failed: ${repr(reply)}`)
      return
    }
    const fields = reply as Readonly<Record<string, unknown>>
    seeClock(lamport, fields.clock)
    this.learn(fields)
  }

  /** Known ids keep their age, or nodes that greet each other again and again would never forget one. */
  private learn(fields: Readonly<Record<string, unknown>>): void {
    const { clock, revoked } = this.options
    const now = clock.now()
    for (const { ageMs, id } of decodeRevoked(fields)) {
      if (!revoked.has(id)) revoked.add(id, now - ageMs)
    }
  }

  private known(): RevokedSet {
    const { clock, revoked } = this.options
    const now = clock.now()
    return encodeRevoked(
      revoked.dump().ids.map(([id, at]) => ({ id, ageMs: now - at })),
      this.monotonic(),
    )
  }
}
