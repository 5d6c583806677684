import { randomUUID } from 'node:crypto'
import { BrokerError, coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { Epoch } from './epoch.js'
import { isReply } from './replyCode.js'

/**
 * The first pause before the broker is asked again; doubles up to the longest pause, since each refusal is a line in
 * the broker's log.
 */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000
/** The time between the queue's end and the return of the messages, which the broker does at about the same time. */
const RETURN_MS = 1000
/** After this many heartbeats the broker has noticed the loss, whatever it says. */
const HEARTBEATS = 3
/** Stands in for a heartbeat where there is none. */
const USUAL_HEARTBEAT = 60

export interface WitnessOptions {
  /** Node name, for the name of the queue. */
  readonly nodename: string
  readonly clock: Clock
  readonly log: Logger
  /** Whether there is an order to keep. */
  isNeeded(): boolean
}

/**
 * Finds out whether the broker still considers our last connection alive. When a connection breaks on our side only (a
 * firewall that lost its state), the broker keeps the messages that were delivered on it until it misses heartbeats,
 * and delivers newer ones meanwhile: an order key would be overtaken. For the broker an exclusive queue lives exactly
 * as long as its connection, so it is a witness.
 */
export class Witness {
  /** The queue on the last connection from which anything was consumed. */
  private queue: string | null = null
  /** Monotonic milliseconds; null while that connection lives. */
  private lostAt: number | null = null
  private heartbeat = 0
  private isHeldUp = false
  /** The connection on which the broker has refused the queue: it would do so again. */
  private refusedOn: Epoch | null = null

  constructor(private readonly options: WitnessOptions) {}

  /** Whether the broker still holds the messages of the last connection. */
  get heldUp(): boolean {
    return this.isHeldUp
  }

  /** Whether there is an order to keep on a connection of which nothing would tell that it is lost. */
  get isMissing(): boolean {
    return this.queue === null && this.options.isNeeded()
  }

  /**
   * From now on the loss of this connection can be seen. Without permission for the queue it can't, and a warning is
   * logged. Never rejects.
   */
  async stand(epoch: Epoch): Promise<void> {
    if (!this.isMissing || epoch.ended.aborted || this.refusedOn === epoch) return
    const queue = `${this.options.nodename}.${randomUUID()}.celeriac`
    this.queue = queue
    this.lostAt = null
    this.heartbeat = epoch.heartbeat
    try {
      await epoch.scratch((channel) =>
        channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: false }),
      )
    } catch (thrown) {
      // Lost before we heard of it, the broker may have the queue all the same.
      if (epoch.ended.aborted) return
      if (this.queue === queue) this.queue = null
      this.refusedOn = epoch
      this.options.log.warning(
        `If only this side loses the connection, messages of an order key may overtake each other: the broker refuses the queue ${queue}: ${coerceError(thrown).message}`,
      )
    }
  }

  /** Records that the connection is lost. */
  lost(): void {
    this.lostAt ??= this.options.clock.monotonic()
  }

  /**
   * Resolves once the broker has released the last connection, and so has its messages again, in their order; or, with
   * a warning, after three heartbeats. To be awaited on the next connection, before anything is consumed.
   * @throws BrokerError when that connection ends first
   */
  async settled(epoch: Epoch): Promise<void> {
    const { clock, log } = this.options
    const { heartbeat, queue } = this
    if (queue === null) return
    const seconds = HEARTBEATS * (heartbeat || USUAL_HEARTBEAT)
    for (let pause = FIRST_PAUSE_MS; await isThere(epoch, queue); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (clock.monotonic() - (this.lostAt ?? 0) > seconds * 1000) {
        log.warning(
          `The broker still holds the lost connection after ${seconds} seconds. The worker continues without waiting for it`,
        )
        break
      }
      if (!this.isHeldUp) {
        log.warning(
          `The broker has not noticed yet that the last connection is lost, and holds its messages. No messages are taken until it does, within ${seconds} seconds, so that no order key is overtaken`,
        )
      }
      this.isHeldUp = true
      await this.pause(epoch, pause)
    }
    if (this.isHeldUp) await this.pause(epoch, RETURN_MS)
    if (this.isHeldUp) log.info('The broker has taken back the messages of the last connection')
    this.isHeldUp = false
    this.queue = null
  }

  private pause(epoch: Epoch, ms: number): Promise<void> {
    const { ended } = epoch
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel()
        reject(new BrokerError('the connection was lost again', { cause: ended.reason }))
      }
      const timer = this.options.clock.setTimer(() => {
        ended.removeEventListener('abort', end)
        resolve()
      }, ms)
      if (ended.aborted) end()
      else ended.addEventListener('abort', end, { once: true })
    })
  }
}

async function isThere(epoch: Epoch, queue: string): Promise<boolean> {
  try {
    await epoch.scratch((channel) => channel.checkQueue(queue))
    return true
  } catch (thrown) {
    epoch.ended.throwIfAborted()
    // RESOURCE_LOCKED while the queue's connection lives.
    return !isReply(thrown, 'NOT_FOUND')
  }
}
