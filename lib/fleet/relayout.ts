import type { Move } from '../broker/fleetSession.js'
import type { QueueDepth } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import { pause } from '../clock.js'
import type { Clock, Logger } from '../ports.js'
import { laneName } from './laneOf.js'
import { laneSpec } from './laneSpec.js'
import { layoutSpec } from './layout.js'

const LOOK_MS = 200
/** Milliseconds until it is tried again after messages came back to lanes. */
const AGAIN_MS = 1000

export interface RelayoutOptions {
  readonly queue: string
  readonly type: 'classic' | 'quorum'
  readonly from: number
  readonly to: number
  readonly session: Pick<Session, 'declare'>
  readonly move: Pick<Move, 'pause' | 'replace'>
  /** How long the lanes may take to become empty, and then running tasks to end. */
  readonly limitMs: number
  readonly clock: Clock
  readonly log: Logger
  depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>>
  /** Takes the lanes from all members. @throws Error if this one has left the fleet */
  suspend(): Promise<void>
  /** Assigns the lanes again: there are messages in them. */
  share(): Promise<void>
  /** Called with a description of the current step. */
  onStep(step: string): void
}

/**
 * Changes the number of lanes of a queue. Keys change lanes by that, so it happens while no message is in any lane. If
 * this worker is killed at any moment, the next one finds one of three states on the broker, and each is safe:
 *
 * | the layout queue says | the lanes              | what the next mover does                                                  |
 * |-----------------------|------------------------|---------------------------------------------------------------------------|
 * | the old number        | any number of messages | continues with the old number; the change is forgotten                    |
 * | nothing: it is gone   | all are empty          | declares it with `worker_fleet_lanes`; any number is right for empty lanes |
 * | the new number        | all are empty          | continues with the new number                                             |
 *
 * The layout queue is replaced on the channel that moves the messages, so that the broker does it only while no other
 * mover can get any. No count includes unacknowledged messages: lanes are known to be empty when nobody consumes them
 * and nothing is ready in them.
 * @throws Error with the reason why it can't be done; then nothing has changed. The caller resumes moving messages,
 * either way
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
    // Messages that a worker had taken and not started are back only now.
    const known = await options.depths(lanes)
    if (known.size < lanes.length) throw new Error('the broker does not say whether all lanes are empty')
    const left = [...known.values()].filter(({ ready }) => ready > 0).length
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
