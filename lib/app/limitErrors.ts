/*
 * What ends a task from outside, under the names that Python's billiard gives it: clients raise these classes again from a result.
 * They are told apart by name and module rather than `instanceof`, because the app and the worker may have loaded two copies of
 * this package.
 */
const MODULE = 'billiard.exceptions'

abstract class LimitError extends Error {
  /** The module that Python knows the class from. */
  readonly excModule = MODULE
  /** The arguments of the error in Python. */
  readonly args: readonly unknown[]

  constructor(
    /** The name of Python's class. */
    readonly excType: string,
    message: string,
    args: readonly unknown[],
  ) {
    super(message)
    this.name = excType
    this.args = args
  }
}

/** The reason with which `self.signal` is aborted when a task passes its soft time limit. A task may catch it and tidy up. */
export class SoftTimeLimitExceeded extends LimitError {
  /** @param seconds the limit */
  constructor(seconds: number) {
    super('SoftTimeLimitExceeded', `SoftTimeLimitExceeded(${seconds},)`, [seconds])
  }
}

/** The failure of a task that passed its hard time limit. */
export class TimeLimitExceeded extends LimitError {
  /** @param seconds the limit */
  constructor(seconds: number) {
    super('TimeLimitExceeded', `TimeLimitExceeded(${seconds},)`, [seconds])
  }
}

/** The failure of a task whose process or thread died under it. */
export class WorkerLostError extends LimitError {
  constructor(message: string) {
    super('WorkerLostError', message, [message])
  }
}

/** Whether the reason of an abort is the soft time limit. */
export function isSoftTimeLimit(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false
  const { excType, excModule } = thrown as Partial<LimitError>
  return excModule === MODULE && excType === 'SoftTimeLimitExceeded'
}
