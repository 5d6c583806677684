import type { Task } from '../app/task.js'
import type { Settings } from '../settings/table.js'

/** Options of a task, combined with the settings. A null limit means no limit; durations are in seconds. */
export interface Policy {
  readonly acksLate: boolean
  readonly acksOnFailureOrTimeout: boolean
  readonly rejectOnWorkerLost: boolean
  readonly ignoreResult: boolean
  readonly storeErrorsEvenIfIgnored: boolean
  readonly trackStarted: boolean
  readonly timeLimit: number | null
  readonly softTimeLimit: number | null
  readonly rateLimit: string | number | null
}

/** The policies of an app's tasks, each computed once. The option of a task wins over the setting. */
export class Policies {
  private readonly known = new WeakMap<Task, Policy>()

  constructor(private readonly settings: Settings) {}

  of(task: Task): Policy {
    let policy = this.known.get(task)
    if (!policy) {
      policy = this.make(task)
      this.known.set(task, policy)
    }
    return policy
  }

  /** Changes the limits of a task while the worker runs: Celery's `time_limit` and `rate_limit` commands. */
  change(task: Task, limits: Partial<Pick<Policy, 'timeLimit' | 'softTimeLimit' | 'rateLimit'>>): void {
    this.known.set(task, { ...this.of(task), ...limits })
  }

  private make({ options }: Task): Policy {
    const { settings } = this
    return {
      acksLate: options.acksLate ?? settings.task_acks_late,
      acksOnFailureOrTimeout: options.acksOnFailureOrTimeout ?? settings.task_acks_on_failure_or_timeout,
      rejectOnWorkerLost: options.rejectOnWorkerLost ?? settings.task_reject_on_worker_lost,
      ignoreResult: options.ignoreResult ?? settings.task_ignore_result,
      storeErrorsEvenIfIgnored: options.storeErrorsEvenIfIgnored ?? settings.task_store_errors_even_if_ignored,
      trackStarted: options.trackStarted ?? settings.task_track_started,
      timeLimit: options.timeLimit ?? settings.task_time_limit,
      softTimeLimit: options.softTimeLimit ?? settings.task_soft_time_limit,
      rateLimit: options.rateLimit === undefined ? settings.task_default_rate_limit : options.rateLimit,
    }
  }
}
