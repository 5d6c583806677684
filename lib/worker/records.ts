import type { App } from '../app/app.js'
import { CombinedEvents } from '../events/combined.js'
import { Failures } from '../health/failures.js'
import { TaskTally } from '../health/tally.js'
import type { Clock } from '../ports.js'
import type { TaskEvents } from '../request/taskEvents.js'
import { secretsOf } from '../settings/mask.js'
import type { Settings } from '../settings/table.js'

/**
 * Counts tasks, and keeps their failures, for the probes. With `--without-http` nobody reads this, so nothing is kept.
 */
export class TaskRecords {
  readonly tally: TaskTally
  readonly failures: Failures
  /** Receives the line's events: the records, then the listener given. */
  readonly events: TaskEvents

  constructor(app: App, settings: Settings, clock: Clock, events: TaskEvents) {
    this.tally = new TaskTally(clock, (name) => app.tasks.get(name) !== undefined)
    this.failures = new Failures(clock, secretsOf(settings))
    this.events = settings.without_http ? events : new CombinedEvents(events, this.tally, this.failures.events)
  }
}
