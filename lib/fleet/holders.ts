import { pause } from '../clock.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import { CLOSED, type Holder, type HolderAction, type HolderEvent, type Phase, step } from './holder.js'

/** Milliseconds until a refused lane is tried again. */
const RETRY_MS = 5000

/** Takes the lanes of a worker from the broker, and gives them back. */
export interface LaneKeeper {
  /** Resolves once the broker has accepted the consumer. @throws the broker's refusal */
  open(lane: number): Promise<void>
  /** Starts nothing more of the lane. Resolves once nothing of it runs, and every acknowledgement is written. */
  drain(lane: number): Promise<void>
  /** Closes the lane's channel. */
  close(lane: number): Promise<void>
}

export interface HoldersOptions {
  readonly keeper: LaneKeeper
  readonly clock: Clock
  readonly log: Logger
}

interface Kept {
  readonly holder: Holder
  /** Number that changes with each lost connection: steps from before it are ignored. */
  readonly life: number
}

/** The lanes of one worker. Brings each to the state it should be in, by the rules of `holder`. */
export class Holders {
  private readonly kept = new Map<number, Kept>()
  private lives = 0

  constructor(private readonly options: HoldersOptions) {}

  /** Phase of each lane that isn't closed. */
  get phases(): ReadonlyMap<number, Phase> {
    return new Map([...this.kept].map(([lane, { holder }]) => [lane, holder.phase]))
  }

  /** Sets the lanes that are to be held; all others are given up. */
  want(lanes: readonly number[]): void {
    const wanted = new Set(lanes)
    for (const lane of new Set([...wanted, ...this.kept.keys()])) {
      const isWanted = wanted.has(lane)
      if (isWanted !== (this.kept.get(lane)?.holder.wanted ?? false)) this.happen(lane, isWanted ? 'want' : 'release')
    }
  }

  /**
   * Handles the loss of the connection, and with it of all lanes. Lanes that are still wanted are taken again on the
   * next one.
   */
  lost(): void {
    for (const lane of [...this.kept.keys()]) this.lose(lane)
  }

  private lose(lane: number): void {
    const before = this.kept.get(lane)
    if (!before) return
    this.kept.set(lane, { ...before, life: ++this.lives })
    this.happen(lane, 'lost')
    // Otherwise it would be taken again with the next connection.
    if (!this.kept.has(lane)) void this.options.keeper.close(lane).catch(() => undefined)
  }

  private happen(lane: number, event: HolderEvent): void {
    const { holder, life } = this.kept.get(lane) ?? { holder: CLOSED, life: ++this.lives }
    const { actions, holder: next } = step(holder, event)
    if (next.phase === 'closed') this.kept.delete(lane)
    else this.kept.set(lane, { holder: next, life })
    for (const action of actions) this.act(lane, action, life)
  }

  private act(lane: number, action: HolderAction, life: number): void {
    const { keeper } = this.options
    switch (action) {
      case 'open':
        this.tellOnce(lane, life, keeper.open(lane), 'opened')
        break
      case 'drain':
        this.tellOnce(lane, life, keeper.drain(lane), 'idle')
        break
      case 'close':
        this.tellOnce(lane, life, keeper.close(lane), 'closed')
        break
      case 'abort':
        // The line has told the running tasks: it knows what was lost with which channel.
        break
      default:
        action satisfies never
    }
  }

  private tellOnce(lane: number, life: number, done: Promise<void>, event: HolderEvent): void {
    const isCurrent = (): boolean => this.kept.get(lane)?.life === life
    done.then(
      () => {
        if (isCurrent()) this.happen(lane, event)
      },
      async (thrown) => {
        const { clock, log } = this.options
        const isWanted = (): boolean => this.kept.get(lane)?.holder.wanted === true
        if (isCurrent() && isWanted()) await pause(clock, RETRY_MS)
        if (!isCurrent()) return
        // Logged only now: a lost connection takes all lanes at once, which isn't worth a line for each.
        if (isWanted()) log.warning(`Lane ${lane} could not be taken: ${coerceError(thrown).message}. Trying again`)
        this.lose(lane)
      },
    )
  }
}
