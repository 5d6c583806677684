import { systemClock } from '../../lib/clock.js'
import { CombinedEvents } from '../../lib/events/combined.js'
import { Failures } from '../../lib/health/failures.js'
import type { Source } from '../../lib/health/snapshot.js'
import { TaskTally } from '../../lib/health/tally.js'
import { type OfflineApp, OfflineLine } from '../support/offlineLine.js'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The source of a page over a whole line without a broker; the figures that a broker would give are set by hand. */
export function offlineSource(
  app: OfflineApp,
  options: { slots?: number; config?: Record<string, unknown>; secrets?: readonly string[] } = {},
): { offline: OfflineLine; source: Mutable<Source> } {
  const failures = new Failures({ now: () => 1_000_000 }, options.secrets ?? [])
  const tally = new TaskTally(systemClock, (name) => app.tasks.get(name) !== undefined)
  const offline = new OfflineLine(app, { ...options, events: new CombinedEvents(failures.events, tally) })
  const { clock, line } = offline
  const source: Mutable<Source> = {
    nodename: 'w@spec',
    version: '1.2.3',
    pid: 42,
    clock,
    startedAt: clock.monotonic(),
    line,
    scaling: { bounds: { max: 8, min: 2 }, decisions: [] },
    autoscales: true,
    queues: { queues: [], intake: () => [] },
    depthOf: () => undefined,
    oldestSeconds: () => 0,
    readiness: () => [],
    breakers: () => [],
    failures: () => failures,
    tasks: () => tally,
    fleets: () => [],
    loop: () => 0.25,
    memory: () => 1024,
  }
  return { offline, source }
}
