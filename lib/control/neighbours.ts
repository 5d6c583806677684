import type { Session } from '../broker/session.js'
import { pause } from '../clock.js'
import { BrokerError, coerceError } from '../errors.js'
import { aborted } from '../listeners.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { LamportClock } from '../protocol/lamport.js'
import type { Arguments } from './arguments.js'
import { callWorkers, controlMessage } from './broadcast.js'
import type { Neighbours } from './mingle.js'

/** Seconds in which neighbours have to answer, as in Celery: their number is unknown. */
const ANSWER_SECONDS = 1
/** Seconds after which waiting ends, even if more answers come, or if the broker doesn't answer. */
const MOST_SECONDS = 5
/** Milliseconds between two checks whether the mailbox of our last connection is gone. */
const LOOK_MS = 20

export interface NeighboursOptions {
  readonly nodename: string
  readonly clock: Clock
  readonly lamport: LamportClock
  readonly log: Logger
}

/** The other workers, reached by remote control. Valid for one session of the connection that publishes. */
export class RemoteNeighbours implements Neighbours {
  private constructor(
    private readonly session: Session,
    /** True if no other worker is there. */
    readonly alone: boolean,
    private readonly options: NeighboursOptions,
  ) {}

  /**
   * Checks whether there are other workers: the broker returns a message that nobody receives. Must be called before
   * our own mailbox is open, and `hello` after that, so that no revoke is missed in between; a worker that is alone
   * then need not wait. Never throws.
   * @param patienceMs how long the broker gets to delete the mailbox of our last connection, which is not a neighbour
   * @param connect opens a session on which it does no harm if the broker takes no messages from it for a while
   * @returns null if that can't be found out in a second
   */
  static async look(
    connect: (signal: AbortSignal) => Promise<Session>,
    options: NeighboursOptions,
    patienceMs = 0,
  ): Promise<RemoteNeighbours | null> {
    const { clock, log } = options
    try {
      return await inTime(clock, ANSWER_SECONDS, async (late) =>
        RemoteNeighbours.lookOn(await connect(late), options, patienceMs),
      )
    } catch (thrown) {
      log.warning(`mingle: could not ask the neighbors: ${coerceError(thrown).message}`)
      return null
    }
  }

  private static async lookOn(
    session: Session,
    options: NeighboursOptions,
    patienceMs: number,
  ): Promise<RemoteNeighbours> {
    const { clock } = options
    const until = clock.monotonic() + patienceMs
    let alone = false
    const lookOnce = async (): Promise<boolean> => {
      try {
        alone = !(await session.isHeard(probe(options)))
        return true
      } catch (thrown) {
        options.log.debug(`mingle: can't tell whether there are neighbors: ${coerceError(thrown).message}`)
        return false
      }
    }
    while ((await lookOnce()) && !alone && clock.monotonic() < until) {
      await pause(clock, LOOK_MS)
    }
    return new RemoteNeighbours(session, alone, options)
  }

  async hello(args: Arguments): Promise<ReadonlyMap<string, unknown>> {
    if (this.alone) return new Map()
    const { clock } = this.options
    const { ended } = this.session
    const lost = aborted(ended).then((): [] => [])
    try {
      const call = { method: 'hello', arguments: args }
      const replies = await inTime(clock, MOST_SECONDS, () =>
        Promise.race([callWorkers(this.session, call, { ...this.options, timeout: ANSWER_SECONDS }), lost]),
      )
      return new Map(replies.map(({ nodename, value }) => [nodename, value]))
    } catch (thrown) {
      if (!ended.aborted)
        this.options.log.warning(`mingle: could not ask the neighbors: ${coerceError(thrown).message}`)
      return new Map()
    }
  }
}

/** Addressed to this node, so that nobody acts on it. */
function probe({ clock, lamport, nodename }: NeighboursOptions): ReturnType<typeof controlMessage> {
  return controlMessage({ method: 'ping', destination: [nodename] }, { clock, lamport, timeout: ANSWER_SECONDS })
}

/** @throws BrokerError after this many seconds; what `work` does then is ignored */
async function inTime<T>(clock: Clock, seconds: number, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  let timer: Timer | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = clock.setTimer(() => {
      const error = new BrokerError(`the broker hasn't answered in ${seconds} s`)
      late.abort(error)
      reject(error)
    }, seconds * 1000)
  })
  return Promise.race([work(late.signal), tooLate]).finally(() => timer?.cancel())
}
