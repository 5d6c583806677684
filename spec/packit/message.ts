/** The tasks of Packit that the workload knows. */
export const TASK = {
  process: 'task.steve_jobs.process_message',
  start: 'task.run_copr_build_start_handler',
  end: 'task.run_copr_build_end_handler',
  babysit: 'task.babysit_copr_build',
} as const

export const SHORT_RUNNING = 'short-running'
export const LONG_RUNNING = 'long-running'

export type Side = 'start' | 'end'
export type Kind = Side | 'other'
/** 1: what hears of events. 2: what those events make it publish, and what the watchdog sends. */
export type Hop = 1 | 2

/** Hints for the stand-in handlers, in `kwargs.event._sim`. */
export interface Sim {
  /** The message's identity for the oracle: kept by retries, redeliveries and the message of the next hop. */
  readonly id: string
  /** How long the handler works, in milliseconds. */
  readonly run_ms: number
  /** How many times it fails before it succeeds. */
  readonly fail: number
}

/** One message to publish. */
export interface PackitMessage {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly queue: string
  /** What must not overtake what; for the oracle. A worker has to find it from the message itself. */
  readonly key: string
  readonly kind: Kind
  /** When to publish, in milliseconds since the stream began. */
  readonly atMs: number
  readonly sim: Sim & {
    /** A second message about the same thing. */
    readonly dup: boolean
    /** The hop at which it is published. */
    readonly hop: Hop
  }
}

/** Only build events go on to a second hop. */
export function hopsOf({ sim, kwargs }: PackitMessage): readonly Hop[] {
  if (sim.hop === 2) return [2]
  return isBuildEvent(kwargs.event_type) ? [1, 2] : [1]
}

export function isBuildEvent(eventType: unknown): eventType is `copr.build.${Side}` {
  return eventType === 'copr.build.start' || eventType === 'copr.build.end'
}

/** What the watchdog's messages are known by: they bring no event, and so no `_sim`. */
export function babysitId(build: unknown): string {
  return `babysit:${build}`
}
