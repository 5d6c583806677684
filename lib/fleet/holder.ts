/*
 * How a worker takes a lane, and gives it up. The broker gives a lane's messages to one channel at a time, that of its single active consumer,
 * and to the next one when that channel is closed, with all that wasn't acknowledged at its place.
 *
 * | phase    | event  | next                | what is done |                                                                       |
 * |----------|--------|---------------------|--------------|-----------------------------------------------------------------------|
 * | closed   | want   | opening             | open         |                                                                       |
 * | opening  | opened | held                |              | or the broker keeps it waiting until the last holder has closed       |
 * | opening  | release| (once it is opened) |              | a consumer that is on its way can't be called back                    |
 * | held     | release| draining            | drain        | nothing more starts; what runs goes on                                |
 * | draining | idle   | closing             | close        | what ran is acknowledged: the rest goes back at once and in its order |
 * | closing  | closed | closed, or opening  | open         | if it is wanted again by then                                         |
 * | any      | lost   | closed, or opening  | abort, open  | the broker has given the lane to another: what runs is told to stop   |
 */

/** State of a lane. Its tasks start only while it is held. */
export type Phase = 'closed' | 'opening' | 'held' | 'draining' | 'closing'

/** One lane, as one worker sees it. */
export interface Holder {
  readonly phase: Phase
  /** True if the worker is to hold it. */
  readonly wanted: boolean
}

export type HolderEvent =
  /** The lane is to be held, or no longer. */
  | 'want'
  | 'release'
  /** The broker has accepted the consumer. */
  | 'opened'
  /** Nothing of the lane runs, and every acknowledgement is written. */
  | 'idle'
  /** The channel is closed. */
  | 'closed'
  /** The connection, or the channel, was lost. */
  | 'lost'

/** What to do next. `abort` tells running tasks to stop. */
export type HolderAction = 'open' | 'drain' | 'close' | 'abort'

/** Result of an event. */
export interface HolderStep {
  readonly holder: Holder
  readonly actions: readonly HolderAction[]
}

/** A lane that the worker neither holds nor wants. */
export const CLOSED: Holder = { phase: 'closed', wanted: false }

const NOTHING: readonly HolderAction[] = []

/** The transition function. An event without a meaning in a phase changes nothing. */
export function step(holder: Holder, event: HolderEvent): HolderStep {
  const { phase, wanted } = holder
  switch (event) {
    case 'want':
      return phase === 'closed' ? opening() : { holder: { phase, wanted: true }, actions: NOTHING }
    case 'release':
      return phase === 'held' ? draining() : { holder: { phase, wanted: false }, actions: NOTHING }
    case 'opened':
      if (phase !== 'opening') break
      return wanted ? { holder: { phase: 'held', wanted }, actions: NOTHING } : draining()
    case 'idle':
      if (phase !== 'draining') break
      return { holder: { phase: 'closing', wanted }, actions: ['close'] }
    case 'closed':
      if (phase !== 'closing') break
      return wanted ? opening() : { holder: CLOSED, actions: NOTHING }
    case 'lost': {
      if (phase === 'closed') break
      const next = wanted ? opening() : { holder: CLOSED, actions: NOTHING }
      return { holder: next.holder, actions: ['abort', ...next.actions] }
    }
    default:
      event satisfies never
  }
  return { holder, actions: NOTHING }
}

function opening(): HolderStep {
  return { holder: { phase: 'opening', wanted: true }, actions: ['open'] }
}

function draining(): HolderStep {
  return { holder: { phase: 'draining', wanted: false }, actions: ['drain'] }
}
