import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { EventFields, EventType } from '../protocol/event.js'
import { repr } from '../protocol/repr.js'
import { isClock } from '../protocol/seenClock.js'

/*
 * worker-elect:      {id, topic, action, cver: 1} and the common fields of events     a candidate
 * worker-elect-ack:  {id} and the common fields                                       a node that has seen one
 */

type Id = string | number

interface Candidate {
  readonly clock: number
  /** `hostname.pid`. */
  readonly node: string
  readonly topic: unknown
  readonly action: unknown
}

/** One election. This node is a candidate in each that it knows of. */
interface Election {
  readonly id: Id
  readonly since: number
  readonly candidates: Map<string, Candidate>
  acks: number
  decided: boolean
  /** Approximate size of what was received for it. */
  bytes: number
}

export interface ElectionsOptions {
  /** `hostname.pid`, as in this node's events. */
  readonly node: string
  readonly clock: Clock
  readonly log: Logger
  /** Sends an event; in the order of the calls. */
  send(type: EventType, fields: EventFields): void
  /** Publishes the task that a signature describes: what the winner does in an election of the topic `task`. */
  apply(signature: unknown): unknown
  /** Returns how many other workers are alive. */
  alive(): number
}

/** Milliseconds for which an election is remembered, so that late messages don't hold it again. */
const REMEMBERED_MS = 60_000
const MOST = 1000
/** Limit for all elections together. */
const MOST_BYTES = 8 * 1024 * 1024
/** Bytes of a candidate or an election besides its texts. */
const OVERHEAD = 200

/**
 * Elections among workers, by Celery's own rule, so that all get the same result: every node stands, every node
 * acknowledges every candidate, and after as many acknowledgements as there are other workers the candidate with the
 * lowest clock has won.
 */
export class Elections {
  private readonly byId = new Map<Id, Election>()
  private bytes = 0

  constructor(private readonly options: ElectionsOptions) {}

  /** Handles the control command `election`: this node stands. */
  hold(id: Id, topic: string, action: unknown): void {
    this.stand(id, topic, action)
  }

  /**
   * Handles a candidate. If this node hasn't stood, it does so now, with a later clock that can't win: a Python worker
   * crashes on an election in which it stands alone, and our acknowledgement may be what completes it.
   */
  elect(event: EventFields): void {
    const { action, clock, hostname, id, pid, topic } = event
    if (!isId(id) || !isClock(clock) || typeof hostname !== 'string' || pid === undefined || topic === undefined) {
      this.options.log.error(`gossip: election request missing a field: ${repr(event)}`)
      return
    }
    const election = this.stand(id, topic, action)
    if (!election) return
    const node = `${hostname}.${String(pid)}`
    if (!election.candidates.has(node)) {
      if (!this.grow(election, [node, topic, action])) return
      election.candidates.set(node, { clock, node, topic, action })
    }
    this.options.send('worker-elect-ack', { id })
  }

  /** Handles the acknowledgement of a candidate by a node. */
  acknowledged({ id }: EventFields): void {
    const election = isId(id) ? this.byId.get(id) : undefined
    if (!election || election.decided) return
    election.acks++
    if (election.acks >= this.options.alive() && election.candidates.size > 0) this.decide(election)
  }

  forgetOld(): void {
    const oldest = this.options.clock.monotonic() - REMEMBERED_MS
    for (const { bytes, id, since } of this.byId.values()) {
      if (since > oldest) continue
      this.byId.delete(id)
      this.bytes -= bytes
    }
  }

  clear(): void {
    this.byId.clear()
    this.bytes = 0
  }

  private stand(id: Id, topic: unknown, action: unknown): Election | null {
    const known = this.byId.get(id)
    if (known) return known
    const since = this.options.clock.monotonic()
    const election = { id, since, candidates: new Map<string, Candidate>(), acks: 0, decided: false, bytes: 0 }
    if (this.byId.size >= MOST || !this.grow(election, [id, topic, action])) {
      this.options.log.error(`gossip: too many elections; ${repr(id, 100)} is held without this node`)
      return null
    }
    this.byId.set(id, election)
    this.options.send('worker-elect', { id, topic, action: action ?? null, cver: 1 })
    return election
  }

  /** @returns false if there is no room for this much more */
  private grow(election: Election, said: readonly unknown[]): boolean {
    const bytes = OVERHEAD + Buffer.byteLength(JSON.stringify(said))
    if (this.bytes + bytes > MOST_BYTES) return false
    this.bytes += bytes
    election.bytes += bytes
    return true
  }

  private decide(election: Election): void {
    const { log, node } = this.options
    election.decided = true
    const [winner] = [...election.candidates.values()].sort((a, b) => a.clock - b.clock || (a.node < b.node ? -1 : 1))
    if (!winner) return
    if (winner.node !== node) {
      log.info(`node ${winner.node} elected for ${repr(election.id)}`)
      return
    }
    log.info(`I won the election ${repr(election.id)}`)
    if (winner.topic === 'task') this.act(winner.action)
    else log.error(`Unknown election topic ${repr(winner.topic)}`)
  }

  private act(signature: unknown): void {
    const tell = (thrown: unknown): void => this.options.log.error(`Could not call task: ${repr(coerceError(thrown))}`)
    try {
      Promise.resolve(this.options.apply(signature)).catch(tell)
    } catch (thrown) {
      tell(thrown)
    }
  }
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number'
}
