import type { Move } from '../broker/fleetSession.js'
import type { QueueDepth } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import { pause } from '../clock.js'
import type { Clock, Logger } from '../ports.js'
import { laneName } from './laneOf.js'
import { laneSpec } from './laneSpec.js'
import { layoutSpec } from './layout.js'

const LOOK_MS = 200
/** After messages came back to lanes, until it is tried again. */
const AGAIN_MS = 1000

export interface RelayoutOptions {
  readonly queue: string
  readonly type: 'classic' | 'quorum'
  readonly from: number
  readonly to: number
  readonly session: Pick<Session, 'declare'>
  readonly move: Pick<Move, 'pause' | 'replace'>
  /** How long the lanes may take to become empty, and then what runs in them to end. */
  readonly limitMs: number
  readonly clock: Clock
  readonly log: Logger
  depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>>
  /** Nobody is to hold a lane any more. */
  suspend(): Promise<void>
  /** The lanes are to be held again: there are messages in them. */
  share(): Promise<void>
  /** What is done now, in words. */
  onStep(step: string): void
}

/**
 * Changes the number of lanes of a queue. Keys change lanes by that, so it happens while no message is in any lane. What a worker finds on the
 * broker after this one was killed, at any moment, is one of three states, and each is safe:
 *
 * | the layout queue says | the lanes              | what the next mover does                                                  |
 * |-----------------------|------------------------|---------------------------------------------------------------------------|
 * | the old number        | any number of messages | goes on with the old number; the change is forgotten                      |
 * | nothing: it is gone   | all are empty          | declares it with `worker_fleet_lanes`; any number is right for empty lanes |
 * | the new number        | all are empty          | goes on with the new number                                               |
 *
 * The layout queue is replaced on the channel that moves the messages, so that the broker does it only while no other mover can get any. What
 * isn't acknowledged is counted nowhere: that lanes are empty is known when nobody consumes them and nothing is ready in them.
 * @throws Error with the reason why it can't be; then nothing has changed. The caller lets messages be moved again, either way
 */
export async function relayout(options: RelayoutOptions): Promise<void> {
  const { clock, from, limitMs, log, move, onStep, queue, session, share, suspend, to, type } = options
  const lanes = Array.from({ length: from }, (_, lane) => laneName(queue, lane))
  const next = (step: string): void => {
    onStep(step)
    log.info(`Lanes of ${queue}, ${from} to ${to}: ${step}`)
  }
  next('the mover is being paused')
  await move.pause()
  next('waiting until the lanes are empty')
  const [source] = (await options.depths([queue])).values()
  if (source?.consumers !== 1) throw new Error(`${queue} has other consumers`)
  const since = clock.monotonic()
  for (;;) {
    await until(options, lanes, ({ ready }) => ready === 0, 'are not empty')
    next('waiting until nobody holds a lane')
    await suspend()
    await until(options, lanes, ({ consumers }) => consumers === 0, 'have not been handed over')
    // What a worker had taken and not begun is back only now.
    const left = [...(await options.depths(lanes)).values()].filter(({ ready }) => ready > 0).length
    if (left === 0) break
    if (clock.monotonic() - since > limitMs)
      throw new Error(`messages came back to ${left} lanes: tasks that wait for a retry, an ETA or others of their key`)
    await share()
    next('waiting until the lanes are empty')
    await pause(clock, AGAIN_MS)
  }
  next('declaring the new lanes')
  for (let lane = from; lane < to; lane++) await session.declare(laneSpec(queue, lane, type))
  next('replacing the number of lanes')
  await move.replace(layoutSpec(queue, to))
  next('done')
}

async function until(
  { clock, depths, limitMs }: RelayoutOptions,
  lanes: readonly string[],
  isDone: (depth: QueueDepth) => boolean,
  what: string,
): Promise<void> {
  const since = clock.monotonic()
  for (;;) {
    const known = await depths(lanes)
    const open = lanes.filter((lane) => {
      const depth = known.get(lane)
      return !depth || !isDone(depth)
    }).length
    if (open === 0) return
    if (clock.monotonic() - since > limitMs) throw new Error(`${open} lanes ${what} after ${limitMs / 1000} s`)
    await pause(clock, LOOK_MS)
  }
}
